/** What every Runtime must do, as tests: each implementation's own test file calls `runtimeContract` with a way to make one. */
import { describe } from "vitest";
import { lifecycleContract } from "./contract/lifecycle.ts";
import { programContract } from "./contract/programs.ts";
import { sessionContract } from "./contract/sessions.ts";
import { type RuntimeContractOptions, Stage } from "./contract/stage.ts";

export { collect, containerConfig, logPayload, plainSecurity, sandboxConfig } from "./contract/defaults.ts";
export type { RuntimeFixture } from "./contract/stage.ts";

export function runtimeContract(name: string, options: RuntimeContractOptions): void {
	describe(`runtime contract: ${name}`, () => {
		const node = new Stage(options);
		lifecycleContract(node);
		programContract(node);
		sessionContract(node);
	});
}
