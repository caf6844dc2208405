/** Bundles the dashboard's page: files named by their hash, compressed, and the HTML that names them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./bundling.ts";

const page = join(root, "src/dashboard/page");

export async function buildDashboard(folder: string): Promise<void> {
	const { outputFiles } = await build({
		absWorkingDir: root,
		entryPoints: [join(page, "main.tsx"), join(page, "style.css")],
		entryNames: "[name]-[hash]",
		outdir: folder,
		bundle: true,
		format: "esm",
		platform: "browser",
		target: "es2023",
		jsx: "automatic",
		jsxImportSource: "preact",
		minify: true,
		legalComments: "none",
		logLevel: "warning",
		write: false,
	});
	mkdirSync(folder, { recursive: true });
	const write = (name: string, text: Uint8Array | string) =>
		writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: constants.Z_BEST_COMPRESSION }));
	const names = outputFiles.map(({ path, contents }) => {
		write(basename(path), contents);
		return basename(path);
	});
	const named = (ending: string) => names.find((name) => name.endsWith(ending)) ?? "";
	const html = readFileSync(join(page, "index.html"), "utf8");
	write("index.html", html.replace("%STYLE%", named(".css")).replace("%SCRIPT%", named(".js")));
}
