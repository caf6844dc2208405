/** Files of the node's log directory, as the kubelet serves /var/log below `/logs/`: `pods/` and `containers/`. */
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join, sep } from "node:path";
import { notFound } from "./http-error.ts";

/**
 * @param path decoded, below the directory; what ends with a slash is a directory
 * @throws HttpError 404 for what is not there, or lies elsewhere
 */
export async function sendNodeLog(directory: string, path: string, response: ServerResponse): Promise<void> {
	const file = await fileAt(directory, path);
	const found = await stat(file);
	if (!found.isDirectory()) {
		response.setHeader("Content-Type", "text/plain; charset=utf-8");
		const stream = createReadStream(file);
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
	const entries = await readdir(file, { withFileTypes: true });
	const names = entries.map((entry) => `${entry.name}${entry.isDirectory() ? "/" : ""}`).sort();
	const links = names.map(
		(name) => `<a href="./${encodeURIComponent(name).replaceAll("%2F", "/")}">${escaped(name)}</a>`,
	);
	response.setHeader("Content-Type", "text/html; charset=utf-8");
	response.end(`<pre>\n${links.join("\n")}\n</pre>\n`);
}

/** Links in the directory may lead about in it, and nowhere else: pods can make links. */
async function fileAt(directory: string, path: string): Promise<string> {
	const missing = notFound("404 page not found");
	if (path.includes("\0")) throw missing;
	const file = await realpath(join(directory, path)).catch(() => undefined);
	const root = await realpath(directory).catch(() => undefined);
	if (file === undefined || root === undefined) throw missing;
	if (file !== root && !file.startsWith(`${root}${sep}`)) throw missing;
	return file;
}

function escaped(text: string): string {
	return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
