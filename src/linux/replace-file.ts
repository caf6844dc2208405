import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Writes a file for its owner alone, so that a reader sees the old or the new one, whole. The end of the machine may
 * lose what was written last. One that has the content already is left as it is: on a full disk, too, what has not
 * changed can be kept.
 * @param file the only writer of `FILE.new` is this function
 * @throws Error of the file system: then the old file is as it was
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
	const bytes = Buffer.from(content);
	if (contentOf(file)?.equals(bytes) === true) {
		chmodSync(file, 0o600);
		return;
	}
	const draft = `${file}.new`;
	try {
		writeFileSync(draft, bytes, { mode: 0o600 });
		renameSync(draft, file);
	} catch (error) {
		rmSync(draft, { force: true });
		throw error;
	}
}

function contentOf(file: string): Buffer | undefined {
	try {
		return readFileSync(file);
	} catch {
		return undefined;
	}
}
