/** All checks of `cox doctor`, and what the machine may have to do with a failure. */
import type { Layout } from "../../cluster/files/layout.ts";
import { readSettings } from "../../cluster/settings/settings.ts";
import { messageOf } from "../../core/errors.ts";
import type { Check, Verdict } from "./check.ts";
import { kernelChecks } from "./kernel-checks.ts";
import { machineChecks } from "./machine-checks.ts";
import { programChecks } from "./program-checks.ts";

export type NamedVerdict = Verdict & { name: string };

export function findings(layout: Layout): Promise<NamedVerdict[]> {
	return verdicts([...machineChecks(layout), ...kernelChecks, ...programChecks]);
}

function verdicts(checks: readonly Check[]): Promise<NamedVerdict[]> {
	return Promise.all(checks.map(async ({ name, look }) => ({ name, ...(await look()) })));
}

/**
 * Does what starts nodes. If it fails on a machine that lacks what real nodes need, the error says so, too.
 * @param runtime of the nodes; default: that of the cluster
 */
export async function onThisMachine<T>(layout: Layout, work: () => Promise<T>, runtime?: string): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if ((runtime ?? readSettings(layout.settings)?.runtime) === "simulated") throw error;
		// Says already what the machine lacks.
		if (messageOf(error).includes("; remedy: ")) throw error;
		const missing = (await verdicts([...kernelChecks, ...programChecks])).filter(({ grade }) => grade === "bad");
		if (missing.length === 0) throw error;
		const lines = missing.map(({ says }) => `  ${says}`).join("\n");
		throw new Error(`${messageOf(error)}\n'cox doctor' says what helps:\n${lines}`, { cause: error });
	}
}
