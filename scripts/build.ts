/**
 * Bundles dist/ for Node: the command, the server and agent processes, and the embedding API with its type
 * declarations.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { sourceInfo } from "../src/cluster/control-plane/build-info.ts";
import { bundling, root } from "./bundling.ts";

rmSync(join(root, "dist"), { recursive: true, force: true });

/** Bundled separately: code that they share would be split into more files, and each file delays a start. */
const programs: readonly Record<string, string>[] = [
	{ cli: "src/cli/main.ts" },
	{ agent: "src/cluster/nodes/agent-main.ts" },
	// These share most of their code.
	{
		server: "src/cluster/server/server-main.ts",
		index: "src/index.ts",
		envtest: "src/cluster/envtest/envtest-main.ts",
	},
];
const define = { COXSWAIN_BUILD: JSON.stringify({ ...sourceInfo(root), buildDate: buildDate() }) };
for (const entryPoints of programs)
	await build({
		...bundling,
		entryPoints,
		outdir: "dist",
		splitting: true,
		chunkNames: `${Object.keys(entryPoints)[0]}-[hash]`,
		sourcemap: true,
		define,
	});

if (process.argv.includes("--types"))
	execFileSync("npx", ["tsc", "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });

/** RFC 3339, whole seconds; reproducible builds say when (reproducible-builds.org, SOURCE_DATE_EPOCH). */
function buildDate(): string {
	const { SOURCE_DATE_EPOCH: seconds } = process.env;
	const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);
	return date.toISOString().replace(/\.\d+Z$/, "Z");
}
