import type { Command } from "commander";
import type { Grade } from "../doctor/check.ts";
import { findings, type NamedVerdict } from "../doctor/findings.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";
import { withProgress } from "../options/progress.ts";

const marks: Readonly<Record<Grade, string>> = { good: "✓", poor: "!", bad: "✗" };

export function doctorCommand(): Command {
	return clusterCommand("doctor", "check what this machine can do, and say what helps")
		.option("--json", "print JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const found = await withProgress("checking", () => findings(layoutFrom(options)));
			if (options.json) sayJson(found);
			else say(found.map(lineOf).join("\n"));
			if (found.some(({ grade }) => grade === "bad")) process.exitCode = 1;
		});
}

function lineOf({ name, grade, says, remedy }: NamedVerdict): string {
	const line = `${marks[grade]} ${name.padEnd(11)} ${says}`;
	return remedy === undefined ? line : `${line}\n  ${" ".repeat(11)} → ${remedy}`;
}
