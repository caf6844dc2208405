/** Directories and files of the node that pods name (API reference, "HostPathVolumeSource"). */
import { lstat, mkdir, open, stat } from "node:fs/promises";
import { VolumeError } from "../node-context.ts";

/** Checks that the path is what its type says, and makes it where the type asks for that. @throws VolumeError */
export async function prepareHostPath(path: string, type: string | undefined): Promise<void> {
	const found = await stat(path).catch(() => undefined);
	const fail = (what: string) => new VolumeError(`hostPath type check failed: ${path} is not a ${what}`);
	switch (type ?? "") {
		case "":
			// Whatever is there is taken; what is not, container runtimes make a directory.
			if (found === undefined) await mkdir(path, { recursive: true });
			return;
		case "DirectoryOrCreate":
			if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
			else if (!found.isDirectory()) throw fail("directory");
			return;
		case "Directory":
			if (found?.isDirectory() !== true) throw fail("directory");
			return;
		case "FileOrCreate":
			if (found === undefined) await (await open(path, "a", 0o644)).close();
			else if (!found.isFile()) throw fail("file");
			return;
		case "File":
			if (found?.isFile() !== true) throw fail("file");
			return;
		case "Socket":
			if (found?.isSocket() !== true) throw fail("socket");
			return;
		case "CharDevice":
			if (found?.isCharacterDevice() !== true) throw fail("character device");
			return;
		case "BlockDevice":
			if (found?.isBlockDevice() !== true) throw fail("block device");
			return;
		default:
			throw new VolumeError(`hostPath type ${type} is unknown`);
	}
}

/** Whether there is something at the path, a dangling link included. */
export async function exists(path: string): Promise<boolean> {
	return (await lstat(path).catch(() => undefined)) !== undefined;
}
