import { tmpdir } from "node:os";
import { Command } from "commander";
import type { StoreReport } from "../../cluster/snapshot/check.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";
import { withProgress } from "../options/progress.ts";

interface Options {
	data?: string;
	keys: boolean;
	force?: true;
	json?: true;
}

/** `cox snapshot`: saves the cluster's state to one file and restores it. */
export function snapshotCommand(): Command {
	const snapshot = new Command("snapshot").description("back up the cluster's state to one file, and restore it");
	snapshot.addCommand(
		clusterCommand("save", "save the store, settings, certificates and keys of the cluster, which may be running")
			.argument("<file>", "the file to write, readable only by you: it contains every key of the cluster")
			.option(
				"--no-keys",
				"omit certificates and keys: the snapshot can be restored only into a data directory that has them",
			)
			.action(async (file: string, options: Options) => {
				const { saveSnapshot } = await import("../../cluster/snapshot/save.ts");
				const header = await withProgress("saving", () => saveSnapshot(layoutFrom(options), file, options.keys));
				say(`saved revision ${header.revision} in ${file}${header.withKeys ? "" : ", without keys"}`);
			}),
	);
	snapshot.addCommand(
		clusterCommand("restore", "restore a snapshot into a data directory whose cluster is not running")
			.argument("<file>")
			.option("--force", "replace an existing cluster")
			.action(async (file: string, options: Options) => {
				const layout = layoutFrom(options);
				const { restoreSnapshot } = await import("../../cluster/snapshot/restore.ts");
				const { header, revision } = await withProgress("restoring", () =>
					restoreSnapshot(layout, file, { force: options.force ?? false }),
				);
				say(
					`restored the snapshot of ${header.createdAt} into ${layout.data}; revisions continue from ${revision}. Run 'cox up' to start the cluster`,
				);
			}),
	);
	snapshot.addCommand(
		clusterCommand("verify", "check a snapshot, or the cluster's own store: pages, tables, values, keys")
			.argument("[file]", "default: the store in the data directory")
			.option("--json", "print JSON")
			.action(async (file: string | undefined, options: Options) => {
				const { verifyCluster, verifySnapshot } = await import("../../cluster/snapshot/check.ts");
				if (file === undefined) {
					const layout = layoutFrom(options);
					return tell(
						`the store in ${layout.data}`,
						await withProgress("verifying", () => verifyCluster(layout, tmpdir())),
						options,
					);
				}
				const { header, report } = await withProgress("verifying", () => verifySnapshot(file, tmpdir()));
				if (options.json) return tellJson({ ...header, ...report });
				const about = `cluster ${header.clusterId}, ${header.createdAt}, cox ${header.version}`;
				tell(`${file} (${about}${header.withKeys ? "" : ", without keys"})`, report, options);
			}),
	);
	return snapshot;
}

function tellJson(report: StoreReport): void {
	sayJson(report);
	if (report.problems.length > 0) process.exitCode = 1;
}

function tell(what: string, report: StoreReport, { json }: Options): void {
	if (json) {
		tellJson(report);
		return;
	}
	const { revision, keyCount, problems } = report;
	if (problems.length > 0) throw new Error(`${what} is damaged:\n  ${problems.join("\n  ")}`);
	say(`${what} is whole: revision ${revision}, ${keyCount} entries`);
}
