/**
 * `npm run bench:controllers [-- NAME…]`: bundles the benchmark as the package is bundled and runs that. Through tsx it
 * would measure what no user has: modules of their own, translated while they load.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "esbuild";
import { bundling, root } from "./bundling.ts";

const outfile = join(root, ".cache/bench/controllers.js");
await build({ ...bundling, entryPoints: ["bench/controllers.ts"], outfile });
const { status } = spawnSync(process.execPath, ["--expose-gc", outfile, ...process.argv.slice(2)], {
	stdio: "inherit",
});
process.exit(status ?? 1);
