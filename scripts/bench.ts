/**
 * `bench.ts NAME [ARGUMENT…]` bundles a benchmark as the package is bundled and runs that. Through tsx it would measure what no user has: modules of their own, translated while they load.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { bundling, root } from "./bundling.ts";

/** Name → the programs that it consists of; the first one is run. */
const benchmarks: Readonly<Record<string, readonly string[]>> = {
	controllers: ["bench/controllers.ts"],
	extension: ["bench/extension.ts"],
	outside: ["bench/outside/main.ts", "bench/outside/load.ts", "bench/outside/nodes.ts"],
};

const [name = "", ...rest] = process.argv.slice(2);
const entryPoints = benchmarks[name];
if (entryPoints === undefined) throw new Error(`there is no benchmark ${name}`);

// Inside the project, where packages are resolved; separate, because another run may be in progress.
mkdirSync(join(root, ".cache"), { recursive: true });
const outdir = mkdtempSync(join(root, ".cache/bench-"));
try {
	await build({ ...bundling, entryPoints: [...entryPoints], outdir });
	const program = join(outdir, basename(entryPoints[0] ?? "").replace(".ts", ".js"));
	process.exitCode = spawnSync(process.execPath, ["--expose-gc", program, ...rest], { stdio: "inherit" }).status ?? 1;
} finally {
	rmSync(outdir, { recursive: true, force: true });
}
