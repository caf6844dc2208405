/** The files of the page, as the build left them: names with a hash, compressed beforehand. */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ApiResponse } from "../core/exchange.ts";
import { bytesAnswer, terminalPolicy } from "./answers.ts";

const types: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
};

export class Assets {
	/** Name → gzip. */
	readonly #files = new Map<string, Buffer>();

	/** @throws Error if the folder has not been built */
	constructor(folder: string) {
		for (const name of readdirSync(folder))
			if (name.endsWith(".gz")) this.#files.set(name.slice(0, -".gz".length), readFileSync(join(folder, name)));
		if (!this.#files.has("index.html")) throw new Error(`${folder} has no index.html: run 'npm run build'`);
	}

	/** @param name a file name, without a folder */
	answer(name: string, acceptEncoding = ""): ApiResponse | undefined {
		const file = this.#files.get(name);
		if (file === undefined) return undefined;
		const type = types[extname(name)] ?? "application/octet-stream";
		// Pages name the current files; these are named by their contents.
		const isPage = name.endsWith(".html");
		const cache = {
			"cache-control": isPage ? "no-store" : "public, max-age=31536000, immutable",
			...(name === "terminal.html" && { "content-security-policy": terminalPolicy }),
		};
		if (!acceptEncoding.includes("gzip")) return bytesAnswer(200, type, gunzipSync(file), cache);
		return bytesAnswer(200, type, file, { ...cache, "content-encoding": "gzip", vary: "Accept-Encoding" });
	}
}
