/** What `startCluster` takes. */
import type { AuditEvent } from "../../api/audit/event.ts";
import type { InProcessWebhook } from "../../api/server/admission-review.ts";
import type { HistoryOptions } from "../../history/settings.ts";
import type { NotifyOptions } from "../../notify/settings.ts";
import type { ClusterTime, SystemTime, VirtualTime } from "./time.ts";

export interface ClusterOptions {
	/** How many nodes, named node-1, node-2, …; or what each is to be. Default 1. */
	nodes?: number | readonly NodeOptions[];
	/**
	 * `system` (default): time is the machine's. `virtual`: time stands until it is turned, and everything happens in the
	 * same order every time.
	 */
	clock?: "system" | "virtual";
	/** Virtual time only: when it begins, as a Date or RFC 3339. Default 2026-01-01T00:00:00Z. */
	startTime?: Date | string;
	/** Virtual time only: the seed of everything that is left to chance, names of pods among it. Default 1. */
	seed?: number;
	/** `memory` (default), or a folder whose contents outlast the cluster. */
	store?: "memory" | { folder: string };
	/** `simulated` (default): pods do what their annotations say. `process`: programs of this machine, in real time. */
	runtime?: "simulated" | "process";
	/**
	 * Listens for kubectl from the start, on this port of 127.0.0.1 or a free one. By default it does so when first asked
	 * for a kubeconfig.
	 */
	listen?: boolean | number;
	/** False: nodes write no Events of their pods, which saves half of a pod's writes. Default true. */
	podEvents?: boolean;
	/** Addresses of pods. Default 10.128.0.0/9 with simulated nodes, 10.244.0.0/16 with real ones. */
	clusterCidr?: string;
	/** Addresses of services. Default 10.96.0.0/16. */
	serviceCidr?: string;
	/**
	 * Optional steps of admission, by upstream's names: `DenyServiceExternalIPs`, `OwnerReferencesPermissionEnforcement`.
	 * Default: none. Others than there are make the start fail.
	 */
	admissionPlugins?: readonly string[];
	/** Functions that admit or change what is written, as admission webhooks do, without a socket. */
	webhooks?: readonly InProcessWebhook[];
	/** Other issuers whose tokens are taken: an `AuthenticationConfiguration` of apiserver.config.k8s.io/v1. */
	oidc?: object;
	/**
	 * What is recorded of requests: a `Policy` of audit.k8s.io/v1, and what is given each event. That is not to take
	 * long, and is not to change the event.
	 */
	audit?: { policy: object; sink(event: AuditEvent): void };
	/** How much is kept of Jobs that have run, see docs/run-history.md; false: nothing. */
	history?: HistoryOptions | false;
	/**
	 * Where notifications may go, see docs/notifications.md. Default: nowhere, what a policy says is tried and not sent.
	 */
	notify?: NotifyOptions;
	/** Called for failures that were handled, such as a retried write. Default: they are not reported. */
	onError?(what: string, error: unknown): void;
}

export interface NodeOptions {
	/** Default: node- and the first free number. */
	name?: string;
	labels?: Readonly<Record<string, string>>;
	/** Simulated nodes only. */
	taints?: readonly { key: string; value?: string; effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute" }[];
	/** Simulated nodes only: quantities by resource name. Default: 32 CPUs, 256Gi memory, 500 pods. */
	capacity?: Readonly<Record<string, string>>;
}

/** The kind of time that the options ask for. */
export type TimeOf<Options extends ClusterOptions> = Options extends { clock: "virtual" }
	? VirtualTime
	: "virtual" extends Options["clock"]
		? ClusterTime
		: SystemTime;

/** Options with no names but those that there are: a mistyped one would do nothing. */
export type OnlyKnown<Options> = { [Name in Exclude<keyof Options, keyof ClusterOptions>]: never };

// Typed so that none is forgotten.
const optionNames: Readonly<Record<keyof ClusterOptions, true>> = {
	nodes: true,
	clock: true,
	startTime: true,
	seed: true,
	store: true,
	runtime: true,
	listen: true,
	podEvents: true,
	clusterCidr: true,
	serviceCidr: true,
	admissionPlugins: true,
	webhooks: true,
	oidc: true,
	audit: true,
	history: true,
	notify: true,
	onError: true,
};
const historyOptionNames: Readonly<Record<keyof HistoryOptions, true>> = {
	runs: true,
	days: true,
	logMegabytes: true,
	allRuns: true,
};
const notifyOptionNames: Readonly<Record<keyof NotifyOptions, true>> = { allow: true, send: true };
const nodeOptionNames: Readonly<Record<keyof NodeOptions, true>> = {
	name: true,
	labels: true,
	taints: true,
	capacity: true,
};

/** @throws Error that names the first option that there is not */
export function checkOptions(options: ClusterOptions): void {
	checkNames("startCluster", options, optionNames);
	checkNames("history", options.history || {}, historyOptionNames);
	checkNames("notify", options.notify ?? {}, notifyOptionNames);
	if (typeof options.nodes === "number") {
		if (!Number.isInteger(options.nodes) || options.nodes < 0)
			throw new Error(`nodes: ${options.nodes} is not a whole number of 0 or more`);
	} else for (const node of options.nodes ?? []) checkNames("a node", node, nodeOptionNames);
}

function checkNames(what: string, options: object, known: object): void {
	for (const name of Object.keys(options))
		if (!Object.hasOwn(known, name))
			throw new Error(`${what} has no option ${name}: there are ${Object.keys(known).join(", ")}`);
}
