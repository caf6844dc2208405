/**
 * The contract of Runtime as tests: the test file of each implementation calls `runtimeContract` with a function that
 * creates one.
 */
import { describe } from "vitest";
import { lifecycleContract } from "./lifecycle.ts";
import { programContract } from "./programs.ts";
import { sessionContract } from "./sessions.ts";
import { type RuntimeContractOptions, Stage } from "./stage.ts";
import { volumeContract } from "./volumes.ts";

export { collect, containerConfig, logPayload, nodeServer, plainSecurity, sandboxConfig } from "./defaults.ts";
export type { RuntimeFixture } from "./stage.ts";

export function runtimeContract(name: string, options: RuntimeContractOptions): void {
	describe(`runtime contract: ${name}`, () => {
		const node = new Stage(options);
		lifecycleContract(node);
		programContract(node);
		sessionContract(node);
		volumeContract(node);
	});
}
