import { renameSync, writeFileSync } from "node:fs";

/**
 * Writes a file for its owner alone, so that a reader sees the old or the new one, whole. The end of the machine may
 * lose what was written last.
 * @param file the only writer of `FILE.new` is this function
 * @throws Error of the file system: then the old file is as it was
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
	const draft = `${file}.new`;
	writeFileSync(draft, content, { mode: 0o600 });
	renameSync(draft, file);
}
