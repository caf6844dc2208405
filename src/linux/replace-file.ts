import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Replaces a file atomically, readable only by its owner. A crash of the machine may lose the last write. A file that
 * already has the content is not written, so that this succeeds on a full disk.
 * @param file this function is the only writer of `FILE.new`
 * @throws Error of the file system: the old file is unchanged
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
