/** Bundles dist/ for Node: the command, the server and agent processes, and the embedding API with its type declarations. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { sourceInfo } from "../src/cluster/build-info.ts";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });

await build({
	absWorkingDir: root,
	entryPoints: {
		cli: "src/cli/main.ts",
		server: "src/cluster/server-main.ts",
		agent: "src/cluster/agent-main.ts",
		index: "src/index.ts",
	},
	outdir: "dist",
	bundle: true,
	splitting: true,
	format: "esm",
	platform: "node",
	target: "node20",
	// Dependencies stay packages: two of them hold native code, and users' audits and updates should see all of them.
	packages: "external",
	chunkNames: "chunk-[hash]",
	sourcemap: true,
	define: { COXSWAIN_BUILD: JSON.stringify({ ...sourceInfo(root), buildDate: buildDate() }) },
	logLevel: "warning",
});

if (process.argv.includes("--types"))
	execFileSync("npx", ["tsc", "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });

/** RFC 3339, whole seconds; reproducible builds say when (reproducible-builds.org, SOURCE_DATE_EPOCH). */
function buildDate(): string {
	const { SOURCE_DATE_EPOCH: seconds } = process.env;
	const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);
	return date.toISOString().replace(/\.\d+Z$/, "Z");
}
