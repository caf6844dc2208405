import { tmpdir } from "node:os";
import { Command } from "commander";
import type { StoreReport } from "../../cluster/snapshot/check.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

interface Options {
	data?: string;
	keys: boolean;
	force?: true;
}

/** `cox snapshot`: the cluster's state as one file, and back. */
export function snapshotCommand(): Command {
	const snapshot = new Command("snapshot").description("save the cluster's state as one file, and restore it");
	snapshot.addCommand(
		clusterCommand("save", "save store, settings, certificates and keys of the cluster, also while it runs")
			.argument("<file>", "a new file, readable by you alone: it has every key of the cluster")
			.option("--no-keys", "leave out certificates and keys: restorable only where they are")
			.action(async (file: string, options: Options) => {
				const { saveSnapshot } = await import("../../cluster/snapshot/save.ts");
				const header = await saveSnapshot(layoutFrom(options), file, options.keys);
				say(`saved revision ${header.revision} in ${file}${header.withKeys ? "" : ", without keys"}`);
			}),
	);
	snapshot.addCommand(
		clusterCommand("restore", "put a snapshot into a data directory whose cluster does not run")
			.argument("<file>")
			.option("--force", "replace the cluster that is there")
			.action(async (file: string, options: Options) => {
				const layout = layoutFrom(options);
				const { restoreSnapshot } = await import("../../cluster/snapshot/restore.ts");
				const { header, revision } = await restoreSnapshot(layout, file, { force: options.force ?? false });
				say(
					`restored what was saved at ${header.createdAt} into ${layout.data}; revisions go on from ${revision}. 'cox up' starts it`,
				);
			}),
	);
	snapshot.addCommand(
		clusterCommand("verify", "check a snapshot, or the cluster's own store: pages, tables, values, keys")
			.argument("[file]", "default: the store in the data directory")
			.action(async (file: string | undefined, options: Options) => {
				const { verifyCluster, verifySnapshot } = await import("../../cluster/snapshot/check.ts");
				if (file === undefined) {
					const layout = layoutFrom(options);
					return tell(`the store in ${layout.data}`, await verifyCluster(layout, tmpdir()));
				}
				const { header, report } = await verifySnapshot(file, tmpdir());
				const about = `cluster ${header.clusterId}, ${header.createdAt}, cox ${header.version}`;
				tell(`${file} (${about}${header.withKeys ? "" : ", without keys"})`, report);
			}),
	);
	return snapshot;
}

function tell(what: string, { revision, keyCount, problems }: StoreReport): void {
	if (problems.length > 0) throw new Error(`${what} is damaged:\n  ${problems.join("\n  ")}`);
	say(`${what} is whole: revision ${revision}, ${keyCount} entries`);
}
