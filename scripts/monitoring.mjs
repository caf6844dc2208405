/** `npm run monitoring`: the example of examples/monitoring with real programs, which are fetched for it. */
import { spawnSync } from "node:child_process";
import {
	build,
	fail,
	fetchMonitoring,
	installPackages,
	installPrograms,
	nodePrograms,
	requireMachine,
	root,
	setUp,
} from "./prepare.mjs";

requireMachine();
const [, , isFetched] = await setUp(installPackages().then(build), installPrograms(nodePrograms), fetchMonitoring());
if (!isFetched) fail("Prometheus and Alertmanager could not be fetched; see above.");
const result = spawnSync("npx", ["vitest", "run", "test/monitoring"], {
	cwd: root,
	stdio: "inherit",
	env: { ...process.env, COX_MONITORING: "1" },
});
process.exit(result.status ?? 1);
