import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import type { ClusterStatus } from "../../cluster/control/control-protocol.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { parsePublish } from "../../cluster/gateway/publish-address.ts";
import { type IngressPorts, parseIngressPorts } from "../../cluster/ingress/ports.ts";
import { type LaunchOptions, launch, runtimes } from "../../cluster/server/launch.ts";
import type { DescribedCluster } from "../../cluster/settings/cluster-file.ts";
import { messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/time/clock.ts";
import { isRunning } from "../../linux/processes.ts";
import { onThisMachine } from "../doctor/findings.ts";
import { type ApiOptions, apiChanges, withApiOptions } from "../options/api-options.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { duration, say } from "../options/output.ts";
import { count, wholeNumber } from "../options/whole-number.ts";

interface UpOptions extends Pick<LaunchOptions, "nodes" | "runtime" | "clock" | "showHome" | "images">, ApiOptions {
	data?: string;
	file?: string;
	imageStore?: string;
	publish?: string;
	ingressPorts?: IngressPorts;
	kubeletConfig?: string;
	manifests?: string;
	foreground?: true;
	enableAdmissionPlugins?: string;
	encryptionProviderConfig?: string;
	/** False with --no-history, otherwise true. */
	history?: boolean;
	historyRuns?: number;
	historyDays?: number;
	historyLogs?: number;
	historyAllRuns?: number;
	notifyAllow?: string;
}

export function upCommand(): Command {
	const command = clusterCommand("up", "start the cluster; returns when its nodes are Ready")
		.option(
			"-f, --file <file>",
			"a file that describes the cluster and its nodes (see 'cox config'); options override it",
		)
		.option("--nodes <n>", "minimum number of nodes (default: 1 for a new cluster)", count)
		.addOption(new Option("--runtime <runtime>", "what runs pods (default: process)").choices(runtimes))
		.addOption(new Option("--clock <clock>", "virtual: time that 'cox clock' controls").choices(["system", "virtual"]))
		.option("--kubelet-config <file>", "a KubeletConfiguration for all nodes (default: as at the last start)")
		.option(
			"--manifests <dir>",
			"directory whose files are static pods of every node; 'own': manifests/ of the data directory (default)",
			argument(parseManifests),
		)
		.addOption(
			new Option("--cri-socket <path>", "not supported; see docs/containerd.md")
				.hideHelp()
				.argParser(argument(refuseCriSocket)),
		)
		.option(
			"--enable-admission-plugins <names>",
			"optional admission plugins, comma-separated (default: as at the last start)",
		)
		.option(
			"--encryption-provider-config <file>",
			"an EncryptionConfiguration for encryption at rest; 'default' encrypts Secrets with the cluster's own key (default: as at the last start)",
		)
		.option(
			"--publish <address>",
			"address of this machine on which node ports, host ports and load balancers answer: 127.0.0.1 (default), 0.0.0.0, another one, or none",
			argument(parsePublish),
		)
		.option(
			"--ingress-ports <http,https>",
			"ports on which Ingresses are served (default: 8080,8443; see docs/ingress.md)",
			argument(parseIngressPorts),
		)
		.addOption(
			new Option(
				"--images <source>",
				"where images come from: registry, machine (its own programs), or auto (default; see docs/images.md)",
			).choices(["auto", "registry", "machine"]),
		)
		.option("--image-store <dir>", "a store of images that several clusters share; 'own': the cluster's (default)")
		.option(
			"--show-home",
			"show home directories, password hashes and keys of this machine to containers (default: hidden)",
		)
		.option("--no-show-home", "hide them again")
		.option("--history-runs <n>", "number of runs to keep per CronJob and Job name (default: 200)", wholeNumber)
		.option("--history-days <n>", "number of days to keep runs (default: 30)", wholeNumber)
		.option("--history-logs <megabytes>", "total size of all logs, compressed (default: 64)", wholeNumber)
		.option("--history-all-runs <n>", "number of runs to keep in the whole cluster (default: 10000)", wholeNumber)
		.option("--no-history", "keep no history of Jobs")
		.option(
			"--notify-allow <networks>",
			"networks and hosts that notifications may reach, comma-separated: 10.1.0.0/16,hooks.example.com; none: no private addresses (default: as at the last start)",
		)
		.option("--foreground", "run until Ctrl-C, then stop the cluster");
	return withApiOptions(command).action(up);
}

/** @returns an absolute path; "" for the cluster's own */
function parseManifests(value: string): string {
	if (value === "own") return "";
	const path = resolve(value);
	if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${path} is not a directory`);
	return path;
}

function refuseCriSocket(): never {
	throw new Error(
		"a containerd that runs already is outside of the nodes, whose namespaces hold their pods' mounts and networks; " +
			"'--runtime containerd' starts one inside each node",
	);
}

function argument<T>(parse: (value: string) => T): (value: string) => T {
	return (value) => {
		try {
			return parse(value);
		} catch (error) {
			throw new InvalidArgumentError(messageOf(error));
		}
	};
}

async function up(given: UpOptions): Promise<void> {
	const { data, foreground, kubeletConfig, enableAdmissionPlugins, encryptionProviderConfig, notifyAllow, ...rest } =
		given;
	const { file, history, historyRuns, historyDays, historyLogs, historyAllRuns, ...wanted } = rest;
	const kept = {
		...(historyRuns !== undefined && { runs: historyRuns }),
		...(historyDays !== undefined && { days: historyDays }),
		...(historyLogs !== undefined && { logMegabytes: historyLogs }),
		...(historyAllRuns !== undefined && { allRuns: historyAllRuns }),
	};
	const layout = layoutFrom({ data });
	const { nodes, runtime, clock, manifests, showHome, images, imageStore, publish, ingressPorts } = wanted;
	const described = file === undefined ? undefined : await fileOf(file);
	const options: LaunchOptions = {
		...described?.options,
		...(described !== undefined && described.nodes.length > 0 && { nodes: 0 }),
		...(history === false ? { history } : Object.keys(kept).length > 0 && { history: kept }),
		...(nodes !== undefined && { nodes }),
		...(runtime !== undefined && { runtime }),
		...(clock !== undefined && { clock }),
		...(manifests !== undefined && { manifests }),
		...(showHome !== undefined && { showHome }),
		...(images !== undefined && { images }),
		...(publish !== undefined && { publish }),
		...(ingressPorts !== undefined && { ingressPorts }),
		...(imageStore !== undefined && { imageStore: imageStore === "own" ? "" : resolve(imageStore) }),
		...(await apiChanges(wanted)),
	};
	if (kubeletConfig !== undefined) {
		const { readKubeletFile } = await import("../../cluster/settings/kubelet-file.ts");
		options.kubelet = readKubeletFile(kubeletConfig);
	}
	if (enableAdmissionPlugins !== undefined) {
		// Loads all of admission, which takes time.
		const { parsePlugins } = await import("../../cluster/settings/admission-plugins.ts");
		options.admissionPlugins = parsePlugins(enableAdmissionPlugins);
	}
	if (notifyAllow !== undefined) {
		const { parseAllowed } = await import("../../cluster/settings/notify-allow.ts");
		options.notifyAllow = parseAllowed(notifyAllow);
	}
	if (encryptionProviderConfig !== undefined)
		options.encryptionFile = encryptionProviderConfig === "default" ? "" : resolve(encryptionProviderConfig);
	const wasRunning = foreground && (await answers(layout));
	const startedNs = process.hrtime.bigint();
	const status = await onThisMachine(layout, () => started(layout, options, described), options.runtime);
	say(summary(status, Number(process.hrtime.bigint() - startedNs) / 1e6));
	if (!foreground) return;
	// A restart of this command, for example by a service manager, attaches to the cluster that it left behind.
	if (wasRunning) say("the cluster was already running; it stops when this command ends");
	const end = await untilEnd(status.supervisorPid);
	if (end === "server" && existsSync(layout.pidFile))
		throw new Error(`the server process died too often and is not restarted; see ${layout.log}`);
	const { stopCluster } = await import("../../cluster/server/stop.ts");
	await stopCluster(layout);
	say("stopped");
}

async function fileOf(file: string): Promise<DescribedCluster> {
	const { readClusterFile } = await import("../cluster-file/read.ts");
	return readClusterFile("--file", file);
}

/** With the nodes of the file, if there is one. */
async function started(layout: Layout, options: LaunchOptions, described?: DescribedCluster): Promise<ClusterStatus> {
	const status = await launch(layout, options, (text) => say(text));
	if (described === undefined || described.nodes.length === 0) return status;
	const { ensureNodes } = await import("../cluster-file/ensure-nodes.ts");
	await ensureNodes(layout, described.nodes, (text) => say(text));
	return control(layout, "ready");
}

function answers(layout: Layout): Promise<boolean> {
	return control(layout, "status").then(
		() => true,
		() => false,
	);
}

/** The interval for checking the supervisor, which is not a child of this process and cannot notify it. */
const lookMs = 1000;

/** Waits for Ctrl-C, or for the server to end for good. */
async function untilEnd(supervisorPid: number | undefined): Promise<"signal" | "server"> {
	const clock = systemClock();
	const signalled = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => signalled.abort());
	while (!signalled.signal.aborted) {
		await clock.sleep(lookMs, signalled.signal).catch(() => {});
		if (supervisorPid !== undefined && !isRunning(supervisorPid) && !signalled.signal.aborted) return "server";
	}
	return "signal";
}

function summary(status: ClusterStatus, elapsedMs: number): string {
	const names = status.nodes.map((node) => node.name).join(", ");
	const took = duration(elapsedMs);
	return [
		status.nodes.length === 0
			? `no nodes; the cluster is ready after ${took}`
			: `${status.nodes.length === 1 ? `node ${names} is` : `nodes ${names} are`} Ready after ${took}`,
		...new Set(status.nodes.flatMap((node) => node.limitations.map((line) => `note: ${line}`))),
		`API server ${status.server}`,
		`export KUBECONFIG=${status.kubeconfig}`,
	].join("\n");
}
