import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { systemClock } from "../core/clock.ts";
import type { KubeletDocument } from "../node/kubelet-configuration.ts";
import { control, NotRunning } from "./control-client.ts";
import type { ClusterStatus, StartReport } from "./control-protocol.ts";
import type { Layout } from "./layout.ts";
import { programFile } from "./package-files.ts";
import { ensurePrivateFolder } from "./private-folder.ts";
import { processesMarked, serverMark } from "./processes.ts";
import { readSettings } from "./settings.ts";

/** What `cox up` may ask for; a cluster that exists keeps what is not said. */
export interface LaunchOptions {
	/** At least this many nodes. Default 1 for a new cluster. */
	nodes?: number;
	runtime?: "process" | "simulated";
	clock?: "system" | "virtual";
	/** A KubeletConfiguration for all nodes, in the place of the one before. */
	kubelet?: KubeletDocument;
	/** Optional steps of admission: from the next start on, until other ones are named. */
	admissionPlugins?: readonly string[];
}

/**
 * The cluster of this data directory, running: started if it was not, with nodes added if it had too few. Returns when
 * every node is Ready and the default service account exists.
 */
export async function launch(
	layout: Layout,
	options: LaunchOptions,
	progress: (text: string) => void,
): Promise<ClusterStatus> {
	const running = await runningStatus(layout);
	if (running === undefined) {
		try {
			return await spawnServer(layout, options, progress);
		} catch (error) {
			if ((await startedByAnother(layout)) === undefined) throw error;
			return launch(layout, options, progress);
		}
	}
	refuseChange("--runtime", options.runtime, running.runtime);
	refuseChange("--clock", options.clock, running.clock.kind);
	const before = JSON.stringify(readSettings(layout.settings)?.kubelet);
	if (options.kubelet !== undefined && JSON.stringify(options.kubelet) !== before)
		throw new Error("the cluster runs with another --kubelet-config; 'cox down' first, then 'cox up' with this one");
	refuseOtherPlugins(layout, options);
	const missing = (options.nodes ?? 0) - running.nodes.length;
	if (missing > 0) await control(layout, "addNodes", { count: missing });
	return control(layout, "ready");
}

async function runningStatus(layout: Layout): Promise<ClusterStatus | undefined> {
	try {
		return await control(layout, "status");
	} catch (error) {
		if (error instanceof NotRunning) return undefined;
		throw error;
	}
}

/** The status of the server that another `cox up` is starting right now; undefined when there is none, or it ends. */
async function startedByAnother(layout: Layout): Promise<ClusterStatus | undefined> {
	const clock = systemClock();
	for (;;) {
		const starting = processesMarked(serverMark, layout.data).length > 0;
		const status = await runningStatus(layout);
		if (status !== undefined || !starting) return status;
		await clock.sleep(20);
	}
}

function refuseChange(option: string, wanted: string | undefined, found: string): void {
	if (wanted !== undefined && wanted !== found)
		throw new Error(`the cluster is running with ${option} ${found}, not ${wanted}; 'cox down' and 'cox reset' first`);
}

function refuseOtherPlugins({ settings }: Layout, { admissionPlugins }: LaunchOptions): void {
	const now = readSettings(settings)?.admissionPlugins ?? [];
	if (admissionPlugins === undefined || isDeepStrictEqual(new Set(admissionPlugins), new Set(now))) return;
	const running = now.length === 0 ? "without --enable-admission-plugins" : `with --enable-admission-plugins ${now}`;
	throw new Error(`the cluster is running ${running}; other ones take effect when it starts: 'cox down' first`);
}

/** The server process lives on when this one ends; its output goes to the log in the data directory. */
function spawnServer(layout: Layout, options: LaunchOptions, progress: (text: string) => void): Promise<ClusterStatus> {
	ensurePrivateFolder(layout.data);
	const log = openSync(layout.log, "a", 0o600);
	const child = spawn(
		process.execPath,
		[...nodeFlags, programFile("server"), JSON.stringify({ data: layout.data, ...options })],
		{
			detached: true,
			stdio: ["ignore", log, log, "ipc"],
			env: { ...process.env, [serverMark]: layout.data },
		},
	);
	closeSync(log);
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("exit", (code, signal) =>
			reject(
				new Error(`the server process ended (${signal ?? `exit code ${code}`}) before it was ready; see ${layout.log}`),
			),
		);
		child.on("message", (report: StartReport) => {
			if (report.type === "progress") return progress(report.text);
			child.removeAllListeners("exit");
			child.disconnect();
			child.unref();
			if (report.type === "ready") resolve(report.status);
			else reject(new Error(report.message));
		});
	});
}

/** Small heaps and few threads: a cluster at rest should cost little memory. */
export const nodeFlags = ["--enable-source-maps", "--max-semi-space-size=8"];
