/** A compressed tar archive of texts. */
import { gzipSync } from "node:zlib";
import { blocks } from "../../images/layers/tar-reader.ts";
import { endOfArchive, tarHeader } from "../../images/layers/tar-writer.ts";
import type { ReportFile } from "./report-files.ts";

/** @param folder that the files are in */
export function archive(folder: string, files: readonly ReportFile[]): Buffer {
	const parts = files.flatMap(({ name, text }) => {
		const body = Buffer.from(text);
		const entry = { name: `${folder}/${name}`, link: "", type: "0", mode: 0o600, uid: 0, gid: 0, mtime: 0 };
		return [tarHeader({ ...entry, size: body.length }), body, Buffer.alloc(blocks(body.length) - body.length)];
	});
	return gzipSync(Buffer.concat([...parts, endOfArchive]));
}
