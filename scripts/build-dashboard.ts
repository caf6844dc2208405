/** Bundles the dashboard's page: files named by their hash, compressed, and the HTML that names them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { parse } from "yaml";
import { root } from "./bundling.ts";

const page = join(root, "src/dashboard/page");

/** Lessons become JSON. */
const parsedYaml: Plugin = {
	name: "parsed YAML",
	setup(builder) {
		builder.onLoad({ filter: /\.yaml$/ }, ({ path }) => ({
			contents: JSON.stringify(parse(readFileSync(path, "utf8"))),
			loader: "json",
		}));
	},
};

export async function buildDashboard(folder: string): Promise<void> {
	const { outputFiles } = await build({
		absWorkingDir: root,
		entryPoints: ["main.tsx", "style.css", "terminal.ts"].map((name) => join(page, name)),
		entryNames: "[name]-[hash]",
		outdir: folder,
		bundle: true,
		format: "esm",
		platform: "browser",
		target: "es2023",
		jsx: "automatic",
		jsxImportSource: "preact",
		plugins: [parsedYaml],
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
	/** Placeholders in the pages, and the files that they stand for. */
	const placeholders = {
		"%STYLE%": /^style-.*\.css$/,
		"%SCRIPT%": /^main-.*\.js$/,
		"%TERMINAL_STYLE%": /^terminal-.*\.css$/,
		"%TERMINAL_SCRIPT%": /^terminal-.*\.js$/,
	};
	for (const file of ["index.html", "terminal.html"]) {
		let html = readFileSync(join(page, file), "utf8");
		for (const [placeholder, pattern] of Object.entries(placeholders))
			html = html.replace(placeholder, names.find((name) => pattern.test(name)) ?? "");
		write(file, html);
	}
}
