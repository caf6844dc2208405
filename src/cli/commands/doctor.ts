import type { Command } from "commander";
import type { Grade, Verdict } from "../doctor/check.ts";
import { kernelChecks } from "../doctor/kernel-checks.ts";
import { machineChecks } from "../doctor/machine-checks.ts";
import { programChecks } from "../doctor/program-checks.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";

const marks: Readonly<Record<Grade, string>> = { good: "✓", poor: "!", bad: "✗" };

export function doctorCommand(): Command {
	return clusterCommand("doctor", "check what this machine can do, and say what helps")
		.option("--json", "print JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const checks = [...machineChecks(layoutFrom(options)), ...kernelChecks, ...programChecks];
			const found = await Promise.all(checks.map(async ({ name, look }) => ({ name, ...(await look()) })));
			if (options.json) sayJson(found);
			else say(found.map(lineOf).join("\n"));
			if (found.some(({ grade }) => grade === "bad")) process.exitCode = 1;
		});
}

function lineOf({ name, grade, says, remedy }: Verdict & { name: string }): string {
	const line = `${marks[grade]} ${name.padEnd(11)} ${says}`;
	return remedy === undefined ? line : `${line}\n  ${" ".repeat(11)} → ${remedy}`;
}
