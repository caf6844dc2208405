/** How esbuild bundles the package. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";

export const root = join(import.meta.dirname, "..");

/** JSON as text that is parsed, which takes a tenth of the time of a literal of that size. */
const parsedJson: Plugin = {
	name: "parsed JSON",
	setup(build) {
		build.onLoad({ filter: /\.json$/ }, ({ path }) => ({
			contents: `export default JSON.parse(${JSON.stringify(JSON.stringify(JSON.parse(readFileSync(path, "utf8"))))});`,
			loader: "js",
		}));
	},
};

export const bundling = {
	absWorkingDir: root,
	bundle: true,
	format: "esm",
	platform: "node",
	target: "node20",
	// Dependencies stay packages: two of them hold native code, and users' audits and updates should see all of them.
	packages: "external",
	logLevel: "warning",
	plugins: [parsedJson],
} as const satisfies BuildOptions;

/**
 * How it bundles the programs that src/cluster/programs/run.ts runs. Shorter, because compiling them takes a large part
 * of a program's first start; names are kept for stack traces.
 */
export const programs = {
	...bundling,
	format: "cjs",
	minifyWhitespace: true,
	minifySyntax: true,
	lineLimit: 120,
	// `require` instead: with compiled code that was kept, scripts of Node.js 20 cannot import.
	supported: { "dynamic-import": false },
	// run.ts reads ASCII.
	charset: "ascii",
	legalComments: "none",
	banner: { js: 'const programUrl=require("node:url").pathToFileURL(__filename).href;' },
	define: { "import.meta.url": "programUrl" },
} as const satisfies BuildOptions;
