/**
 * Checks an LMDB data file before it is mapped into memory: access to a missing page would crash the process with
 * SIGBUS. The layout is that of LMDB's `MDB_meta`, `MDB_page` and `MDB_node` (data version 2) on a 64-bit machine.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const magic = 0xbeefc0de;
const dataVersion = 2;
const headerBytes = 24;
/** The meta pages are read before their page size is known; the second is at one of these offsets, or at twice that. */
const pageSizes = [4096, 8192, 16_384, 32_768, 65_536];
const branchPage = 1;
const leafPage = 2;
const bigData = 1;
const subDatabase = 2;
const noPage = 0xffff_ffff_ffff_ffffn;

interface Meta {
	pageBytes: number;
	/** Roots of the trees of free pages and of databases; undefined for an empty tree. */
	roots: (number | undefined)[];
	lastPage: number;
	transaction: bigint;
}

/**
 * The problem of the file; undefined if LMDB can open it. Does not check the contents of pages.
 * @param everyPage follows the trees even if the file has the expected length
 */
export function dataFileProblem(file: string, options: { everyPage?: boolean } = {}): string | undefined {
	const descriptor = openSync(file, "r");
	try {
		const { size } = fstatSync(descriptor);
		const first = readMeta(descriptor, 0);
		if (first === undefined) return "its first page is damaged";
		const second = readMeta(descriptor, first.pageBytes);
		if (second === undefined || second.pageBytes !== first.pageBytes) return "its second page is damaged";
		const meta = second.transaction > first.transaction ? second : first;
		const whole = size >= (meta.lastPage + 1) * meta.pageBytes;
		// A healthy file may lack free pages at its end.
		if (whole && !options.everyPage) return undefined;
		return pageProblem(descriptor, meta, Math.floor(size / meta.pageBytes));
	} finally {
		closeSync(descriptor);
	}
}

function readMeta(descriptor: number, position: number): Meta | undefined {
	const bytes = Buffer.alloc(168);
	if (readSync(descriptor, bytes, 0, bytes.length, position) < bytes.length) return undefined;
	if (bytes.readUInt32LE(headerBytes) !== magic) return undefined;
	if ((bytes.readUInt32LE(headerBytes + 4) & 0xffff) !== dataVersion) return undefined;
	const pageBytes = bytes.readUInt32LE(48);
	if (!pageSizes.includes(pageBytes)) return undefined;
	const root = (at: number) => {
		const page = bytes.readBigUInt64LE(at);
		return page === noPage ? undefined : Number(page);
	};
	return {
		pageBytes,
		roots: [root(88), root(136)],
		lastPage: Number(bytes.readBigUInt64LE(144)),
		transaction: bytes.readBigUInt64LE(152),
	};
}

/** Follows the trees from their roots through every page that they refer to. */
function pageProblem(descriptor: number, { pageBytes, roots }: Meta, pageCount: number): string | undefined {
	const bytes = Buffer.alloc(pageBytes);
	const seen = new Set<number>();
	const todo = roots.filter((root) => root !== undefined);
	for (let page = todo.pop(); page !== undefined; page = todo.pop()) {
		if (page >= pageCount) return `it ends before its page ${page}`;
		if (seen.has(page)) return `its page ${page} is named twice`;
		seen.add(page);
		if (readSync(descriptor, bytes, 0, pageBytes, page * pageBytes) < pageBytes)
			return `it ends before its page ${page}`;
		const flags = bytes.readUInt16LE(18);
		if (Number(bytes.readBigUInt64LE(0)) !== page || (flags & (branchPage | leafPage)) === 0)
			return `its page ${page} is damaged`;
		// Offsets in a page count from the end of its header.
		const pointersEnd = headerBytes + bytes.readUInt16LE(20);
		if (pointersEnd > pageBytes) return `its page ${page} is damaged`;
		for (let pointer = headerBytes; pointer < pointersEnd; pointer += 2) {
			const node = headerBytes + bytes.readUInt16LE(pointer);
			if (node + 8 > pageBytes) return `its page ${page} is damaged`;
			const child = nodePages(bytes, node, (flags & branchPage) !== 0);
			if (child === undefined) return `its page ${page} is damaged`;
			if (child.tree !== undefined) todo.push(child.tree);
			if (child.end !== undefined && child.end > pageCount) return `it ends before its page ${child.end - 1}`;
		}
	}
	return undefined;
}

/**
 * Pages that a node refers to: the root of a tree, or the page after the last of a large value. Undefined for an
 * invalid node.
 */
function nodePages(bytes: Buffer, node: number, isBranch: boolean): { tree?: number; end?: number } | undefined {
	if (isBranch) return { tree: bytes.readUIntLE(node, 6) };
	const flags = bytes.readUInt16LE(node + 4);
	const data = node + 8 + bytes.readUInt16LE(node + 6);
	if ((flags & bigData) !== 0) {
		if (data + 24 > bytes.length) return undefined;
		return { end: Number(bytes.readBigUInt64LE(data) + bytes.readBigUInt64LE(data + 16)) };
	}
	if ((flags & subDatabase) === 0) return {};
	if (data + 48 > bytes.length) return undefined;
	const root = bytes.readBigUInt64LE(data + 40);
	return root === noPage ? {} : { tree: Number(root) };
}
