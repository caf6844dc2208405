/**
 * A minimal agent for the adoption test to kill: opens the runtime of a directory, and starts one container if there is
 * none.
 */
import { systemClock } from "../../core/time/clock.ts";
import { containerConfig, sandboxConfig } from "../contract/contract.ts";
import { createProcessRuntime } from "./runtime.ts";

const [directory = "", script = ""] = process.argv.slice(2);
const runtime = await createProcessRuntime({
	clock: systemClock(),
	directory: `${directory}/state`,
	scratchDirectory: `${directory}/scratch`,
	hidden: [directory],
});
if ((await runtime.listContainers()).length === 0) {
	const sandbox = await runtime.createSandbox(sandboxConfig("pod"));
	const config = containerConfig(directory, "main", { command: ["sh", "-c", script] });
	const container = await runtime.createContainer(sandbox.id, config);
	await runtime.startContainer(container.id);
}
console.log("running");
