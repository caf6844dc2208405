/** `npm test`: sets up what is missing, then runs the one gate (`npm run ok`). */
import { spawnSync } from "node:child_process";
import {
	build,
	fetchKubectls,
	installPackages,
	installPrograms,
	requireMachine,
	root,
	setUp,
	testPrograms,
} from "./prepare.mjs";

requireMachine();
// Downloads run while the build uses the processor.
await setUp(installPackages().then(build), installPrograms(testPrograms), fetchKubectls());
const gate = spawnSync("npm", ["run", "--silent", "ok"], { cwd: root, stdio: "inherit" });
process.exit(gate.status ?? 1);
