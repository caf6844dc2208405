import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../../core/time/clock.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";
import { withProgress } from "../options/progress.ts";
import { archive } from "../report/archive.ts";
import { reportFiles } from "../report/report-files.ts";

export function reportCommand(): Command {
	return clusterCommand("report", "collect versions, checks, status, settings and logs for a bug report")
		.option("-o, --output <file>", "the archive (default: cox-report-TIME.tar.gz in the current directory)")
		.action(async (options: { data?: string; output?: string }) => {
			const time = new Date(systemClock().now()).toISOString().replace(/[:.]/g, "-");
			const file = resolve(options.output ?? `cox-report-${time}.tar.gz`);
			const files = await withProgress("collecting", () => reportFiles(layoutFrom(options)));
			// Never in place of another file.
			writeFileSync(file, archive(basename(file).replace(/\.tar\.gz$/, ""), files), { mode: 0o600, flag: "wx" });
			say(`${file}: ${files.map(({ name }) => name).join(", ")}`);
			say("keys, tokens and passwords were taken out; logs may name your objects, so read them before you send it");
		});
}
