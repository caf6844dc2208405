/** Paths of a node whose view of the file system is in a directory of the agent. */
import { readlink } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

const mostLinks = 40;

/**
 * The agent's path for the node's path. Symbolic links are resolved in the node's view: an absolute link refers to the
 * view's root, not the machine's. The part that does not exist is appended unchanged. Callers must not follow links
 * (linux/no-links.ts), because files may have changed since.
 * @param view absolute, or empty if the node's root is the agent's own
 * @throws Error for circular links
 */
export async function viewPath(view: string, path: string): Promise<string> {
	let resolved = "/";
	let rest = normalize(path)
		.split("/")
		.filter((part) => part !== "");
	for (let links = 0; rest.length > 0; ) {
		const [part = "", ...others] = rest;
		rest = others;
		if (part === "..") {
			resolved = dirname(resolved);
			continue;
		}
		const next = join(resolved, part);
		const target = await readlink(view + next).catch(() => undefined);
		if (target === undefined) {
			resolved = next;
			continue;
		}
		if (++links > mostLinks) throw new Error(`too many symbolic links in ${path}`);
		if (target.startsWith("/")) resolved = "/";
		rest = [...target.split("/").filter((name) => name !== "" && name !== "."), ...rest];
	}
	return (resolved === "/" ? view : view + resolved) || "/";
}
