/** `npm test`: sets up what is missing and runs the one gate (`npm run ok`), whose first half waits for no download. */
import { spawnSync } from "node:child_process";
import {
	build,
	check,
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
await setUp(installPackages().then(build).then(check), installPrograms(testPrograms), fetchKubectls());
const gate = spawnSync("npx", ["vitest", "run"], { cwd: root, stdio: "inherit" });
process.exit(gate.status ?? 1);
