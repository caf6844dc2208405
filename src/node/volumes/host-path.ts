/** hostPath volumes: directories and files of the node (API reference, "HostPathVolumeSource"). */
import type { Stats } from "node:fs";
import { type BeneathOptions, statBeneath } from "../../linux/beneath.ts";
import { VolumeError } from "../context/node-context.ts";

/**
 * Checks that the path matches its type, and creates it if the type says so.
 * @param view the node's own `/`, within which links are resolved; empty: the machine's
 * @throws VolumeError
 */
export function prepareHostPath(view: string, path: string, type: string | undefined): void {
	const look = (make?: BeneathOptions["make"]): Stats | undefined =>
		statBeneath(view || "/", path, { links: "root", ...(make === undefined ? {} : { make }) });
	const require = (found: Stats | undefined, is: (stats: Stats) => boolean, what: string) => {
		if (found === undefined || !is(found))
			throw new VolumeError(`hostPath type check failed: ${path} is not a ${what}`);
	};
	switch (type ?? "") {
		case "":
			// Anything that exists is accepted; container runtimes create a directory otherwise.
			look("directory");
			return;
		case "DirectoryOrCreate":
			require(look("directory"), (found) => found.isDirectory(), "directory");
			return;
		case "Directory":
			require(look(), (found) => found.isDirectory(), "directory");
			return;
		case "FileOrCreate":
			require(look("file"), (found) => found.isFile(), "file");
			return;
		case "File":
			require(look(), (found) => found.isFile(), "file");
			return;
		case "Socket":
			require(look(), (found) => found.isSocket(), "socket");
			return;
		case "CharDevice":
			require(look(), (found) => found.isCharacterDevice(), "character device");
			return;
		case "BlockDevice":
			require(look(), (found) => found.isBlockDevice(), "block device");
			return;
		default:
			throw new VolumeError(`hostPath type ${type} is unknown`);
	}
}
