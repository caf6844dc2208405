/** The options of `startCluster`. */
import type { AuditEvent } from "../../api/audit/event.ts";
import type { InProcessWebhook } from "../../api/server/admission-review.ts";
import { type ConnectionFaults, noFaults } from "../../client/faults.ts";
import type { HistoryOptions } from "../../history/retention/settings.ts";
import { validateRule } from "../../kinds/admissionregistration/rules.ts";
import type { NotifyOptions } from "../../notify/delivery/settings.ts";
import type { DefinitionSource } from "../files/definition-files.ts";
import type { ClusterTime, SystemTime, VirtualTime } from "./time.ts";
import type { ClusterWrite } from "./writes.ts";

export interface ClusterOptions {
	/** The number of nodes, named node-1, node-2, …; or the options of each. Default 1. */
	nodes?: number | readonly NodeOptions[];
	/**
	 * `system` (default): the machine's time. `virtual`: time only advances on request, and the order of events is always
	 * the same.
	 */
	clock?: "system" | "virtual";
	/** Virtual time only: its beginning, as a Date or RFC 3339. Default 2026-01-01T00:00:00Z. */
	startTime?: Date | string;
	/** Virtual time only: the seed of all random values, including names of pods. Default 1. */
	seed?: number;
	/** `memory` (default), or a folder whose contents outlive the cluster. */
	store?: "memory" | { folder: string };
	/**
	 * `simulated` (default): pods behave according to their annotations. `process`: programs of this machine, in real
	 * time.
	 */
	runtime?: "simulated" | "process";
	/**
	 * Listens for kubectl from the start, on this port of 127.0.0.1 or a free one. By default it listens when a
	 * kubeconfig is first requested.
	 */
	listen?: boolean | number;
	/** False: nodes write no Events of their pods, which saves half of a pod's writes. Default true. */
	podEvents?: boolean;
	/** Addresses of pods. Default 10.128.0.0/9 with simulated nodes, 10.244.0.0/16 with real ones. */
	clusterCidr?: string;
	/** Addresses of services. Default 10.96.0.0/16. */
	serviceCidr?: string;
	/**
	 * Optional admission plugins, by upstream's names: `DenyServiceExternalIPs`, `OwnerReferencesPermissionEnforcement`.
	 * Default: none. An unknown name is an error.
	 */
	admissionPlugins?: readonly string[];
	/**
	 * CustomResourceDefinitions that are established when `startCluster` resolves: paths of files (YAML or JSON) and of
	 * folders with such files, and objects. Documents of other kinds are skipped.
	 */
	crds?: readonly DefinitionSource[];
	/** Functions that admit or change writes, like admission webhooks without a socket. */
	webhooks?: readonly InProcessWebhook[];
	/** Other accepted issuers of tokens: an `AuthenticationConfiguration` of apiserver.config.k8s.io/v1. */
	oidc?: object;
	/**
	 * Which requests are recorded: a `Policy` of audit.k8s.io/v1, and a function that receives each event. It must return
	 * quickly and must not change the event.
	 */
	audit?: { policy: object; sink(event: AuditEvent): void };
	/** How much history of Jobs is kept, see docs/run-history.md; false: none. */
	history?: HistoryOptions | false;
	/**
	 * Where notifications may be sent, see docs/notifications.md. Default: nowhere; policies are processed, but nothing
	 * is sent.
	 */
	notify?: NotifyOptions;
	/**
	 * Bad connections of the clients that `clientAs` and the kubeconfig give, as probabilities: see docs/testing.md.
	 * Default: none. `cluster.faults` changes them later.
	 */
	faults?: Partial<ConnectionFaults>;
	/** Called for every write of an object, by whomever, when it is answered. It must return quickly. */
	onWrite?(write: ClusterWrite): void;
	/** Called for failures that were handled, such as a retried write. Default: they are not reported. */
	onError?(what: string, error: unknown): void;
}

export interface NodeOptions {
	/** Default: `node-` and the first free number. */
	name?: string;
	labels?: Readonly<Record<string, string>>;
	/** Simulated nodes only. */
	taints?: readonly { key: string; value?: string; effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute" }[];
	/** Simulated nodes only: quantities by resource name. Default: 32 CPUs, 256Gi memory, 500 pods. */
	capacity?: Readonly<Record<string, string>>;
}

/** The type of time that the options select. */
export type TimeOf<Options extends ClusterOptions> = Options extends { clock: "virtual" }
	? VirtualTime
	: "virtual" extends Options["clock"]
		? ClusterTime
		: SystemTime;

/** Options with known names only: a mistyped one would be ignored. */
export type OnlyKnown<Options> = { [Name in Exclude<keyof Options, keyof ClusterOptions>]: never };

// The type ensures that none is missing.
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
	crds: true,
	webhooks: true,
	oidc: true,
	audit: true,
	history: true,
	notify: true,
	faults: true,
	onWrite: true,
	onError: true,
};
const historyOptionNames: Readonly<Record<keyof HistoryOptions, true>> = {
	runs: true,
	days: true,
	logMegabytes: true,
	allRuns: true,
};
const notifyOptionNames: Readonly<Record<keyof NotifyOptions, true>> = { allow: true, send: true };
const webhookOptionNames: Readonly<Record<keyof InProcessWebhook, true>> = {
	name: true,
	type: true,
	rules: true,
	failurePolicy: true,
	matchPolicy: true,
	namespaceSelector: true,
	objectSelector: true,
	reinvocationPolicy: true,
	timeoutSeconds: true,
	handle: true,
};
const nodeOptionNames: Readonly<Record<keyof NodeOptions, true>> = {
	name: true,
	labels: true,
	taints: true,
	capacity: true,
};

/** @throws Error that names the first unknown option */
export function checkOptions(options: ClusterOptions): void {
	checkNames("startCluster", options, optionNames);
	checkNames("history", options.history || {}, historyOptionNames);
	checkNames("notify", options.notify ?? {}, notifyOptionNames);
	checkNames("faults", options.faults ?? {}, noFaults);
	if (typeof options.nodes === "number") {
		if (!Number.isInteger(options.nodes) || options.nodes < 0)
			throw new Error(`nodes: ${options.nodes} is not a whole number of 0 or more`);
	} else for (const node of options.nodes ?? []) checkNames("a node", node, nodeOptionNames);
	for (const webhook of options.webhooks ?? []) checkWebhook(webhook);
}

/** A webhook that is written wrong would never be asked. */
function checkWebhook(webhook: InProcessWebhook): void {
	const what = `the webhook ${webhook.name}`;
	checkNames(what, webhook, webhookOptionNames);
	if (webhook.type !== "mutating" && webhook.type !== "validating")
		throw new Error(`${what}: type: ${String(webhook.type)} is neither mutating nor validating`);
	// Programs without types may leave them out.
	const rules: InProcessWebhook["rules"] | undefined = webhook.rules;
	if (rules === undefined || rules.length === 0) throw new Error(`${what} has no rules`);
	const [cause] = rules.flatMap((rule, index) => validateRule(rule, `rules[${index}]`));
	if (cause !== undefined) throw new Error(`${what}: ${cause.field}: ${cause.message}`);
}

function checkNames(what: string, options: object, known: object): void {
	for (const name of Object.keys(options))
		if (!Object.hasOwn(known, name))
			throw new Error(`${what} has no option ${name}: there are ${Object.keys(known).join(", ")}`);
}
