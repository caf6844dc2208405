/** Writes headers of tar streams in one form, whatever form they were read in. Pure. */
import { blocks, type TarEntry } from "./tar-reader.ts";

const block = 512;
/** Of numbers in octal digits. */
const largest = 0o7777777;

export type WrittenEntry = Omit<TarEntry, "xattrs" | "sparse"> & Partial<Pick<TarEntry, "xattrs" | "sparse">>;

/** The end of an archive. */
export const endOfArchive = Buffer.alloc(2 * block);

/** All header blocks of an entry: an extended one, where the plain one cannot say everything. */
export function tarHeader(entry: WrittenEntry): Buffer {
	const { name, link, xattrs = new Map<string, Buffer>(), sparse = [], gnuMap } = entry;
	const records: Buffer[] = [];
	const text = (key: string, value: string) => records.push(record(key, Buffer.from(value)));
	if (!fits(name)) text("path", name);
	if (!fits(link)) text("linkpath", link);
	if (entry.uid > largest) text("uid", String(entry.uid));
	if (entry.gid > largest) text("gid", String(entry.gid));
	if (entry.size >= 8 ** 11) text("size", String(entry.size));
	if (entry.mtime < 0 || !Number.isInteger(entry.mtime) || entry.mtime >= 8 ** 11) text("mtime", seconds(entry.mtime));
	for (const [key, value] of sparse) text(key, value);
	for (const [key, value] of xattrs) records.push(record(`SCHILY.xattr.${key}`, value));
	const header = plainHeader(entry, gnuMap);
	const rest = gnuMap === undefined ? [] : [gnuMap.subarray(block - 345)];
	if (records.length === 0) return rest.length === 0 ? header : Buffer.concat([header, ...rest]);
	const data = Buffer.concat(records);
	const extended = { name: "pax", link: "", type: "x", mode: 0o644, uid: 0, gid: 0, mtime: 0, size: data.length };
	return Buffer.concat([plainHeader(extended), data, Buffer.alloc(blocks(data.length) - data.length), header, ...rest]);
}

/** ASCII, because not every reader takes other bytes in plain headers for UTF-8. */
function fits(text: string): boolean {
	return text.length < 100 && /^[\x20-\x7e]*$/.test(text);
}

function seconds(time: number): string {
	return time.toFixed(9).replace(/\.?0+$/, "");
}

function plainHeader(entry: WrittenEntry, gnuMap?: Buffer): Buffer {
	const header = Buffer.alloc(block);
	const octal = (value: number, from: number, length: number) =>
		header.write(value.toString(8).padStart(length - 1, "0"), from, "latin1");
	header.write(entry.name.slice(0, 99), 0, 100, "utf8");
	octal(entry.mode, 100, 8);
	octal(Math.min(entry.uid, largest), 108, 8);
	octal(Math.min(entry.gid, largest), 116, 8);
	octal(Math.min(entry.size, 8 ** 11 - 1), 124, 12);
	octal(Math.min(Math.max(0, Math.floor(entry.mtime)), 8 ** 11 - 1), 136, 12);
	header.write(" ".repeat(8), 148, "latin1");
	header.write(entry.type, 156, "latin1");
	header.write(entry.link.slice(0, 99), 157, 100, "utf8");
	header.write(gnuMap === undefined ? "ustar\x0000" : "ustar  \0", 257, "latin1");
	if (gnuMap !== undefined) gnuMap.copy(header, 345, 0, block - 345);
	else if (entry.type === "3" || entry.type === "4") {
		octal(0, 329, 8);
		octal(0, 337, 8);
	}
	let sum = 0;
	for (const byte of header) sum += byte;
	header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
	return header;
}

/** Its length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
	const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
	let length = body.length;
	while (String(length).length + body.length !== length) length = String(length).length + body.length;
	return Buffer.concat([Buffer.from(String(length)), body]);
}
