/** Files of the node's log directory, which the kubelet serves at `/logs/`: `pods/` and `containers/`. */
import { lstat, readdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join, sep } from "node:path";
import { holdDirectory, inParent, openRegular } from "../../linux/no-links.ts";
import { viewPath } from "../volumes/view-path.ts";
import { notFound } from "./http-error.ts";

/** Location of the node's logs. Both paths are absolute. */
export interface LogPlace {
	/** The counterpart of /var/log, in the node's view. */
	logs: string;
	/** Root of the node's view of the file system; empty: the agent's own root. */
	view: string;
}

/**
 * @param path decoded, relative to the directory; a directory ends with a slash
 * @throws HttpError 404 if it does not exist or is outside the directory
 */
export async function sendNodeLog(place: LogPlace, path: string, response: ServerResponse): Promise<void> {
	const missing = notFound("404 page not found");
	const file = await fileAt(place, path);
	const found = await inParent(file, (parent, name) => lstat(parent.at(name))).catch(() => undefined);
	if (found === undefined) throw missing;
	if (!found.isDirectory()) {
		const opened = await openRegular(file).catch(() => undefined);
		if (opened === undefined) throw missing;
		response.setHeader("Content-Type", "text/plain; charset=utf-8");
		const stream = opened.createReadStream();
		response.on("close", () => stream.destroy());
		stream.on("error", () => response.destroy());
		stream.pipe(response);
		return;
	}
	// Links are relative.
	if (!path.endsWith("/")) {
		response.writeHead(301, { Location: `${encodeURIComponent(path.slice(path.lastIndexOf("/") + 1))}/` });
		response.end();
		return;
	}
	const directory = holdDirectory(file);
	const entries = await readdir(directory.path, { withFileTypes: true }).finally(() => directory.close());
	const names = entries.map((entry) => `${entry.name}${entry.isDirectory() ? "/" : ""}`).sort();
	const links = names.map(
		(name) => `<a href="./${encodeURIComponent(name).replaceAll("%2F", "/")}">${escaped(name)}</a>`,
	);
	response.setHeader("Content-Type", "text/html; charset=utf-8");
	response.end(`<pre>\n${links.join("\n")}\n</pre>\n`);
}

/**
 * Links may point anywhere in the directory but not out of it, because pods can create links. They are resolved in the
 * node's view.
 */
async function fileAt({ logs, view }: LogPlace, path: string): Promise<string> {
	const missing = notFound("404 page not found");
	if (path.includes("\0")) throw missing;
	const file = await viewPath(view, join(logs.slice(view.length), path)).catch(() => undefined);
	if (file !== logs && file?.startsWith(`${logs}${sep}`) !== true) throw missing;
	return file;
}

function escaped(text: string): string {
	return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
