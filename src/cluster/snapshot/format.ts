/**
 * The file format of snapshots: a line that identifies the format, a line of JSON, the digest of both, then the
 * contents of the files that the JSON lists, one after the other.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { layoutOf } from "../files/layout.ts";
import { version } from "../files/version.ts";

export interface SnapshotHeader {
	clusterId: string;
	/** Newest revision of the store in it. */
	revision: number;
	/** RFC 3339. */
	createdAt: string;
	/** Version of the cox that wrote it. */
	version: string;
	/** Whether it contains certificates, their keys, and the keys of encrypted values. */
	withKeys: boolean;
	files: SnapshotFile[];
}

export interface SnapshotFile {
	/** Path below the data directory. */
	path: string;
	bytes: number;
	/** SHA-256, in hexadecimal digits. */
	digest: string;
}

const name = "coxswain-snapshot ";
const magic = `${name}1`;
const digestLength = 64;
const largestHeaderBytes = 1 << 20;
const chunkBytes = 1 << 20;

/** Writes a snapshot of files below `folder`; it is on disk when this resolves. The file must not exist. */
export async function writeSnapshot(
	file: string,
	about: Omit<SnapshotHeader, "files" | "version">,
	folder: string,
	paths: readonly string[],
): Promise<SnapshotHeader> {
	const files: SnapshotFile[] = [];
	for (const path of paths) {
		const hash = createHash("sha256");
		for await (const chunk of createReadStream(join(folder, path))) hash.update(chunk);
		files.push({ path, bytes: (await stat(join(folder, path))).size, digest: hash.digest("hex") });
	}
	const header: SnapshotHeader = { ...about, version, files };
	const head = `${magic}\n${JSON.stringify(header)}\n`;
	const handle = await open(file, "wx", 0o600);
	try {
		await handle.write(`${head}${createHash("sha256").update(head).digest("hex")}\n`);
		for (const { path } of files)
			for await (const chunk of createReadStream(join(folder, path), { highWaterMark: chunkBytes }))
				await handle.writeFile(chunk);
		await handle.sync();
	} finally {
		await handle.close();
	}
	return header;
}

/**
 * Reads a snapshot and checks every digest.
 * @param into where its files are written, with mode 0600; undefined: they are only read
 * @throws Error that describes the problem of the file; files that were written are useless then
 */
export async function readSnapshot(file: string, into: string | undefined): Promise<SnapshotHeader> {
	// Does not wait for something other than a file, such as a FIFO.
	if (!statSync(file).isFile()) throw new Error(`${file} is not a file, and so not a cox snapshot`);
	const handle = await open(file, "r");
	try {
		const { header, end } = await readHeader(handle, file);
		let position = end;
		for (const { path, bytes, digest } of header.files) {
			const hash = createHash("sha256");
			const target = into === undefined ? undefined : await openTarget(into, path);
			try {
				for (let left = bytes; left > 0; ) {
					const chunk = Buffer.allocUnsafe(Math.min(left, chunkBytes));
					const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
					if (bytesRead === 0) throw new Error(`${file} is cut off: ${path} ends ${left} bytes early`);
					hash.update(chunk.subarray(0, bytesRead));
					if (target !== undefined) await target.writeFile(chunk.subarray(0, bytesRead));
					position += bytesRead;
					left -= bytesRead;
				}
				await target?.sync();
			} finally {
				await target?.close();
			}
			checkDigest(file, path, hash, digest);
		}
		if (position !== (await handle.stat()).size) throw new Error(`${file} is damaged: it has more data than it lists`);
		return header;
	} finally {
		await handle.close();
	}
}

type Handle = Awaited<ReturnType<typeof open>>;

async function readHeader(handle: Handle, file: string): Promise<{ header: SnapshotHeader; end: number }> {
	const buffer = Buffer.alloc(largestHeaderBytes);
	const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
	const text = buffer.subarray(0, bytesRead);
	const firstEnd = text.indexOf("\n");
	const first = text.subarray(0, Math.max(firstEnd, 0)).toString();
	if (!first.startsWith(name)) throw new Error(`${file} is not a cox snapshot`);
	if (first !== magic) throw new Error(`${file} was written by a newer version of cox (${first}); use that version`);
	const secondEnd = text.indexOf("\n", firstEnd + 1);
	const end = secondEnd + 1 + digestLength + 1;
	if (secondEnd < 0 || text.length < end) throw new Error(`${file} is cut off in its header`);
	const hash = createHash("sha256").update(text.subarray(0, secondEnd + 1));
	checkDigest(file, "its header", hash, text.subarray(secondEnd + 1, end - 1).toString());
	return { header: headerOf(text.subarray(firstEnd + 1, secondEnd).toString(), file), end };
}

/**
 * The digest detects accidents. Against malicious files everything is checked: paths must not lead elsewhere, and texts
 * are shown to people.
 */
function headerOf(text: string, file: string): SnapshotHeader {
	const { files, withKeys, revision, createdAt, version: writtenBy, clusterId } = parsed(text);
	const isSound =
		Array.isArray(files) &&
		files.every(isListed) &&
		new Set(files.map(({ path }) => path)).size === files.length &&
		typeof withKeys === "boolean" &&
		isCount(revision) &&
		isText(createdAt) &&
		isText(writtenBy) &&
		isText(clusterId);
	if (!isSound) throw new Error(`${file} is damaged: its header is not one that cox writes`);
	const stray = files.find(({ path }) => !belongs(path, withKeys));
	if (stray !== undefined) throw new Error(`${file} is damaged: it has a file that no cluster has (${stray.path})`);
	return { files, withKeys, revision, createdAt, version: writtenBy, clusterId };
}

function parsed(text: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null ? { ...value } : {};
	} catch {
		return {};
	}
}

function isListed(entry: unknown): entry is SnapshotFile {
	if (typeof entry !== "object" || entry === null) return false;
	const { path, bytes, digest }: { path?: unknown; bytes?: unknown; digest?: unknown } = entry;
	return typeof path === "string" && isText(path) && isCount(bytes) && typeof digest === "string";
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Printable, without blanks. */
function isText(value: unknown): value is string {
	return typeof value === "string" && /^[!-~]{1,256}$/.test(value);
}

/** Whether snapshots contain this file of a data directory. */
export function belongs(path: string, withKeys: boolean): boolean {
	const { data, storeFile, settings, identity, images } = layoutOf("/");
	if ([storeFile, settings, identity, images].some((one) => relative(data, one) === path)) return true;
	return withKeys && /^pki\/(?!\.{1,2}$)[^/]+$/.test(path);
}

/** Whether the file begins like a snapshot, of any version. */
export function isSnapshot(file: string): boolean {
	const descriptor = openSync(file, "r");
	try {
		const bytes = Buffer.alloc(name.length);
		readSync(descriptor, bytes, 0, bytes.length, 0);
		return bytes.toString() === name;
	} finally {
		closeSync(descriptor);
	}
}

function checkDigest(file: string, what: string, hash: Hash, wanted: string): void {
	if (hash.digest("hex") !== wanted) throw new Error(`${file} is damaged: ${what} is not as it was written`);
}

async function openTarget(into: string, path: string): Promise<Handle> {
	const target = join(into, path);
	await mkdir(dirname(target), { recursive: true, mode: 0o700 });
	return open(target, "wx", 0o600);
}
