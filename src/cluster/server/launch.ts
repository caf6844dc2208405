import { closeSync, existsSync, openSync } from "node:fs";
import { constants } from "node:os";
import { sameJson } from "../../core/equal.ts";
import { systemClock } from "../../core/time/clock.ts";
import type { HistoryOptions } from "../../history/retention/settings.ts";
import { spawnApart } from "../../linux/inherited.ts";
import { processesMarked, serverMark, supervisorMark } from "../control/cluster-processes.ts";
import { control, NotRunning } from "../control/control-client.ts";
import type { ClusterStatus, StartReport } from "../control/control-protocol.ts";
import { enterData } from "../data/data-directories.ts";
import type { Layout } from "../files/layout.ts";
import { nodeFlags, programFile, superviseScript } from "../files/package-files.ts";
import { defaultPublish } from "../gateway/publish-address.ts";
import { defaultIngressPorts } from "../ingress/ports.ts";
import type { ApiChanges } from "../settings/api-settings.ts";
import { readSettings, type Settings } from "../settings/settings.ts";

export { runtimes } from "../../runtime/runtime-kind.ts";

/** Settings that options replace, from the next start on. An empty `imageStore` means the cluster's own. */
type ChangedAtStart =
	| "runtime"
	| "clock"
	| "kubelet"
	| "manifests"
	| "showHome"
	| "publish"
	| "ingressPorts"
	| "images"
	| "imageStore"
	| "admissionPlugins"
	| "history"
	| "notifyAllow";

/** The options of `cox up`; an existing cluster keeps settings that are absent. */
export interface LaunchOptions extends ApiChanges, Partial<Pick<Settings, ChangedAtStart>> {
	/** At least this many nodes. Default 1 for a new cluster. */
	nodes?: number;
	/** The cluster is deleted when the calling process ends, however it ends. Only for one that this call starts. */
	isTied?: boolean;
	/** Absolute path of an EncryptionConfiguration, which replaces the previous one; empty: none from now on. */
	encryptionFile?: string;
}

/**
 * The running cluster of this data directory: started if necessary, with missing nodes added. Returns when every node
 * is Ready and the default service account exists.
 */
export async function launch(
	layout: Layout,
	options: LaunchOptions,
	progress: (text: string) => void,
): Promise<ClusterStatus> {
	// A server that has just crashed is being restarted.
	const running = (await runningStatus(layout)) ?? (await startedByAnother(layout));
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
	const { kubelet } = readSettings(layout.settings) ?? {};
	if (options.kubelet !== undefined && !sameJson(options.kubelet, kubelet))
		throw new Error("the cluster runs with another --kubelet-config; run 'cox down', then 'cox up' with this one");
	const { manifests = "" } = readSettings(layout.settings) ?? {};
	if ((options.manifests ?? manifests) !== manifests)
		throw new Error("another --manifests takes effect when the cluster starts: run 'cox down' first");
	refuseOtherPlugins(layout, options);
	refuseOtherApi(layout, options);
	const encryption = readSettings(layout.settings)?.encryption?.file ?? "";
	if (options.encryptionFile !== undefined && options.encryptionFile !== encryption)
		throw new Error("another --encryption-provider-config takes effect when the cluster starts: run 'cox down' first");
	if (options.showHome !== undefined && options.showHome !== (readSettings(layout.settings)?.showHome === true))
		throw new Error("the visibility of home directories takes effect when the cluster starts: run 'cox down' first");
	refuseOtherImages(layout, options);
	if (options.publish !== undefined && options.publish !== (readSettings(layout.settings)?.publish ?? defaultPublish))
		throw new Error("another --publish takes effect when the cluster starts: run 'cox down' first");
	const ingressPorts = readSettings(layout.settings)?.ingressPorts ?? defaultIngressPorts;
	if (options.ingressPorts !== undefined && !sameJson(options.ingressPorts, ingressPorts))
		throw new Error("other --ingress-ports take effect when the cluster starts: run 'cox down' first");
	const allowed = readSettings(layout.settings)?.notifyAllow ?? [];
	if (options.notifyAllow !== undefined && !sameJson(options.notifyAllow, allowed))
		throw new Error("another --notify-allow takes effect when the cluster starts: run 'cox down' first");
	if (options.history !== undefined) refuseOtherHistory(layout, options.history);
	const missing = (options.nodes ?? 0) - running.nodes.length;
	if (missing > 0) await control(layout, "addNodes", { count: missing });
	return control(layout, "ready");
}

function refuseOtherImages(layout: Layout, options: LaunchOptions): void {
	const { images = "auto", imageStore = "" } = readSettings(layout.settings) ?? {};
	if ((options.images ?? images) !== images || (options.imageStore ?? imageStore) !== imageStore)
		throw new Error("another --images or --image-store takes effect when the cluster starts: run 'cox down' first");
}

async function runningStatus(layout: Layout): Promise<ClusterStatus | undefined> {
	try {
		return await control(layout, "status");
	} catch (error) {
		if (error instanceof NotRunning) return undefined;
		throw error;
	}
}

/** How long to wait for a server that another command starts: with slow nodes, and a few restarts. */
const startByAnotherLimitMs = 120_000;

/**
 * The status of the server that another `cox up`, or its supervisor, is starting; undefined if there is none, or it
 * ends.
 */
async function startedByAnother(layout: Layout): Promise<ClusterStatus | undefined> {
	const clock = systemClock();
	const deadlineMs = clock.monotonicMs() + startByAnotherLimitMs;
	for (;;) {
		const starting = existsSync(layout.data) && processesMarked([supervisorMark, serverMark], layout.data).length > 0;
		const status = await runningStatus(layout);
		if (status !== undefined || !starting) return status;
		if (clock.monotonicMs() > deadlineMs)
			throw new Error(`a server process of ${layout.data} runs and does not answer; see ${layout.log}, or 'cox down'`);
		await clock.sleep(20);
	}
}

function refuseChange(option: string, wanted: string | undefined, found: string): void {
	if (wanted !== undefined && wanted !== found)
		throw new Error(
			`the cluster is running with ${option} ${found}, not ${wanted}; start another one with --data DIR, or delete this one with 'cox reset'`,
		);
}

function refuseOtherPlugins({ settings }: Layout, { admissionPlugins }: LaunchOptions): void {
	const now = readSettings(settings)?.admissionPlugins ?? [];
	if (admissionPlugins === undefined || sameNames(admissionPlugins, now)) return;
	const running = now.length === 0 ? "without --enable-admission-plugins" : `with --enable-admission-plugins ${now}`;
	throw new Error(`the cluster is running ${running}; other options take effect when it starts: run 'cox down' first`);
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
	return sameJson([...new Set(one)].sort(), [...new Set(other)].sort());
}

function refuseOtherApi({ settings }: Layout, options: LaunchOptions): void {
	const now = readSettings(settings);
	for (const name of ["oidc", "audit", "apiAudiences", "admission", "requestHeader"] as const) {
		const wanted = options[name];
		if (wanted === undefined || sameJson(wanted ?? undefined, now?.[name])) continue;
		throw new Error(
			`the cluster is running with another ${apiOptions[name]}; a new one takes effect when it starts: 'cox down' first`,
		);
	}
}

const apiOptions = {
	oidc: "--oidc",
	audit: "--audit-policy",
	apiAudiences: "--api-audiences",
	admission: "--admission-control-config-file",
	requestHeader: "--requestheader-client-ca-file",
};

/** The server process and its supervisor outlive this process; their output goes to the log in the data directory. */
function spawnServer(layout: Layout, options: LaunchOptions, progress: (text: string) => void): Promise<ClusterStatus> {
	enterData(layout.data);
	const log = openSync(layout.log, "a", 0o600);
	const server = [process.execPath, ...nodeFlags, programFile("server")];
	// A restarted server uses the settings that the first one wrote.
	const settings = JSON.stringify({ data: layout.data, ...options });
	const child = spawnApart("sh", [superviseScript(), layout.data, ...server, settings], {
		detached: true,
		stdio: ["ignore", log, log, "ipc"],
		env: { ...process.env, [supervisorMark]: layout.data },
	});
	closeSync(log);
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("exit", (code, signal) =>
			reject(new Error(`the server process ended (${signal ?? endOf(code)}) before it was ready; see ${layout.log}`)),
		);
		child.on("message", (report: StartReport) => {
			if (report.type === "progress") return progress(report.text);
			child.removeAllListeners("exit");
			// Its end tells the server that this process is gone.
			if (options.isTied === true && report.type === "ready") child.channel?.unref();
			else child.disconnect();
			child.unref();
			if (report.type === "ready") resolve(report.status);
			else reject(new Error(report.message));
		});
	});
}

/** How a process ended, from the shell's exit code. */
function endOf(code: number | null): string {
	const signal = Object.entries(constants.signals).find(([, number]) => number + 128 === code);
	return signal?.[0] ?? `exit code ${code}`;
}

function refuseOtherHistory({ settings }: Layout, wanted: HistoryOptions | false): void {
	const now = readSettings(settings)?.history ?? {};
	if (sameJson(now, wanted === false ? false : { ...(now || {}), ...wanted })) return;
	throw new Error("the limits of the run history take effect when the cluster starts: run 'cox down' first");
}
