/** `npm start`: sets up what is missing, then boots a cluster and plays the guided tour. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, installPackages, installPrograms, nodePrograms, requireMachine, root, setUp } from "./prepare.mjs";

requireMachine();
await setUp(installPackages().then(build), installPrograms(nodePrograms));
const tour = spawnSync(process.execPath, [join(root, "bin/cox.js"), "tour", ...process.argv.slice(2)], {
	stdio: "inherit",
});
process.exit(tour.status ?? 1);
