/**
 * `bench.ts NAME [ARGUMENT…]` bundles the benchmark bench/NAME.ts as the package is bundled and runs that. Through tsx it
 * would measure what no user has: modules of their own, translated while they load.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bundling, root } from "./bundling.ts";

// Inside the project, where the packages are found; of its own, because a run may begin while another one measures.
mkdirSync(join(root, ".cache"), { recursive: true });
const folder = mkdtempSync(join(root, ".cache/bench-"));
try {
	const [name = "controllers", ...rest] = process.argv.slice(2);
	const outfile = join(folder, "bench.js");
	await build({ ...bundling, entryPoints: [`bench/${name}.ts`], outfile });
	const args = ["--expose-gc", outfile, ...rest];
	process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
} finally {
	rmSync(folder, { recursive: true, force: true });
}
