/** Paths of a node whose file-system view stands under a directory of the agent's own. */
import { readlink } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

const mostLinks = 40;

/**
 * The agent's path for the node's path, with symbolic links followed as the node sees them: an absolute link leads to
 * the view's root, not to the machine's. What does not exist is taken as it is. Callers must not follow links
 * (linux/no-links.ts): what is there may have changed since.
 * @param view absolute, or empty when the node's root is the agent's own
 * @throws Error for links that lead nowhere but in circles
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
