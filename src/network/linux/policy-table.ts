/** Enforces network policies in a node's network namespace, in a table of their own that outlives the agent. */
import { inTurn } from "../../core/in-turn.ts";
import { CommandError, run } from "../../linux/command.ts";
import type { PolicyRules } from "../policy.ts";
import { type PolicyTable, policyChanges, policyTable } from "./policy-rules.ts";

export interface PolicyFilter {
	/**
	 * Resolves when these rules apply, and replaces the previous ones in one step. Only differences are written.
	 * @throws CommandError after which the next call writes everything again
	 */
	set(rules: PolicyRules): Promise<void>;
}

/** Statements in one transaction, if the kernel refuses all at once. */
const mostInOneStep = 20;

/** @param options.enter the command that enters the node, for callers outside of it */
export function createPolicyFilter(options: { nodeAddress: string; enter?: readonly string[] }): PolicyFilter {
	const { nodeAddress, enter = [] } = options;
	const [program = "nft", ...args] = [...enter, "nft", "-f", "-"];
	const apply = (lines: readonly string[]) => run([program, ...args], { input: lines.join("") });
	const oneAtATime = inTurn();
	let applied: PolicyTable | undefined;
	return {
		set: (rules) =>
			oneAtATime(async () => {
				const next = policyTable(rules);
				const lines = policyChanges(applied, next, { nodeAddress });
				applied = lines.length === 0 ? applied : undefined;
				if (lines.length > 0) await inSteps(lines, apply);
				applied = next;
			}),
	};
}

/** At once; if the kernel limits the size of messages of an unprivileged user, in several steps. */
async function inSteps(lines: readonly string[], apply: (lines: readonly string[]) => Promise<unknown>): Promise<void> {
	try {
		await apply(lines);
		return;
	} catch (error) {
		if (!(error instanceof CommandError && error.message.includes("Message too long"))) throw error;
	}
	for (let at = 0; at < lines.length; at += mostInOneStep) await apply(lines.slice(at, at + mostInOneStep));
}
