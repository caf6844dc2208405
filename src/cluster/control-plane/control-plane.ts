import type { Duplex } from "node:stream";
import { checkPlugins } from "../../api/admission/plugins.ts";
import type { AuditOptions } from "../../api/audit/audit.ts";
import type { JwtAuthenticator } from "../../api/credentials/oidc/configuration.ts";
import { type Api, createApi } from "../../api/handle.ts";
import { writeFirstContents } from "../../api/mutate/first-contents.ts";
import type { PodSecurityConfiguration } from "../../api/pod-security/configuration.ts";
import type { InProcessWebhook } from "../../api/server/admission-review.ts";
import type { KeptLogs } from "../../api/server/kept-logs.ts";
import type { AnsweredWrite } from "../../api/server/options.ts";
import type { Client } from "../../client/client.ts";
import { createInformerCache } from "../../client/informer.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import { createEventRecorder } from "../../client/recorder.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transport-memory.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import { startShell } from "../../controllers/runtime/shell.ts";
import { WorkqueueMetrics } from "../../controllers/runtime/workqueue-metrics.ts";
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import { MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import { keepRemoved } from "../../history/facts.ts";
import { Recorder } from "../../history/recorder.ts";
import { type HistoryOptions, historySettings } from "../../history/settings.ts";
import { catalog } from "../../kinds/catalog.ts";
import { createRegistry, type MutableRegistry } from "../../kinds/engine/registry.ts";
import type { NotifyOptions } from "../../notify/delivery/settings.ts";
import { Notifier } from "../../notify/notifier.ts";
import { startScheduler } from "../../scheduler/scheduler.ts";
import type { Store } from "../../store/store.ts";
import { builtIns, needsNoAddress } from "../built-ins/list.ts";
import { makeBuiltIns } from "../built-ins/make.ts";
import { kubernetesVersion } from "../files/version.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";
import { buildInfo } from "./build-info.ts";
import {
	type Authority,
	authorityControllers,
	type ControllerSettings,
	controllers,
	type Signing,
} from "./controllers.ts";
import {
	apiServer,
	controllerManager,
	controllerManagerName,
	controllerUser,
	eventRecorder,
	isPartOfCluster,
	metricsReader,
	notifications,
	scheduler,
	systemAccounts,
	userAgentOf,
} from "./identities.ts";
import { authenticationControllers, ownControllers } from "./own-controllers.ts";
import { createUsageReader, type UsageReader } from "./usage-reader.ts";

export interface ControlPlaneOptions {
	store: Store;
	clock: Clock;
	/** The kinds that are served. Default: the built-in ones. */
	registry?: MutableRegistry;
	/** The clock of clients outside of the process, if it differs. */
	wallClock?: Clock;
	/** Undefined while there is none: see publishAuthority. */
	authority?: Authority;
	/** PEM of the key that signs service account tokens. */
	serviceAccountKey?: string;
	/** Of service account tokens. Default `https://kubernetes.default.svc.cluster.local`. */
	serviceAccountIssuer?: string;
	network: ClusterNetwork;
	/** Whether nodes serve DNS, at the tenth address of the service range. Default: no. */
	hasDns?: boolean;
	/**
	 * Optional admission plugins, by upstream's names.
	 * @throws Error at the start for an unknown one
	 */
	admissionPlugins?: readonly string[];
	/**
	 * Plugins that are left out.
	 * @throws Error at the start for an unknown one
	 */
	disabledAdmissionPlugins?: readonly string[];
	/** True: every request of an authenticated user is allowed. */
	allowsEverything?: boolean;
	/** Whether a controller, or `kube-scheduler`, runs. Default: all do. */
	runs?(component: string): boolean;
	/** Admission webhooks of the program that runs the cluster. */
	webhooks?: readonly InProcessWebhook[];
	/** Pod Security Standards for all namespaces. */
	podSecurity?: PodSecurityConfiguration;
	/** Accepted audiences of tokens. Empty: the issuer of service account tokens. */
	apiAudiences?: readonly string[];
	/** Other accepted issuers of tokens. */
	oidc?: readonly JwtAuthenticator[];
	/** Which requests are recorded, and where. Default: none. */
	audit?: AuditOptions | undefined;
	/** How much history of Jobs is kept. False: none. */
	history?: HistoryOptions | false | undefined;
	/** Where notifications may be sent. Default: nowhere. */
	notify?: (NotifyOptions & { isPublicOpen?: boolean }) | undefined;
	authenticateToken?(token: string): User | undefined;
	dialAgent?(node: string): Promise<Duplex>;
	dialAddress?(address: string, port: number): Duplex | undefined;
	/** Called for each write of an object when it is answered. */
	onWrite?: ((write: AnsweredWrite) => void) | undefined;
	/** Size of the store's file, for metrics. */
	storeBytes?(): number;
	/** Called for errors that were handled but should be visible: a controller's failed plan, a lost watch. */
	onError?(what: string, error: unknown): void;
}

/** API server, controllers and scheduler in this process, without sockets. */
export interface ControlPlane {
	readonly api: Api;
	/** The controllers' informer cache, which other components in this process may share. */
	readonly informers: InformerCache;
	/** Stores the logs of terminated containers; undefined if no history is kept. */
	readonly keptLogs: KeptLogs | undefined;
	/** A client in this process, with this user. `copies`: it returns objects that the caller may change. */
	client(user: User, options?: { copies?: boolean }): Client;
	/**
	 * For a cluster that gets its certificate authority after its start: publishes it in the ConfigMap kube-root-ca.crt
	 * of every namespace, and signs certificates.
	 */
	publishAuthority(authority: Authority): void;
	/** Stops controllers, scheduler and API; the store stays open. */
	stop(): Promise<void>;
}

/** For `runs`; also its user agent. */
const schedulerName = "kube-scheduler";

/** A placeholder, for the names of the controllers that need an authority. */
const nobody: Signing = { ca: "", sign: () => "", signToken: () => "" };

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
	const { clock } = options;
	const report = options.onError ?? (() => {});
	const history = options.history === false ? undefined : createHistory(options, report);
	const store = history === undefined ? options.store : keepRemoved(options.store, clock, history.told);
	checkPlugins([...(options.admissionPlugins ?? []), ...(options.disabledAdmissionPlugins ?? [])]);
	let usage: UsageReader | undefined;
	let frontProxy = options.authority?.frontProxy;
	const metrics = new MetricRegistry();
	const registry = options.registry ?? createRegistry(catalog);
	// Only their names are used here.
	const named = [...controllers({ ...options, registry }), ...authorityControllers(nobody)];
	const accounts = systemAccounts(named);
	const runs = options.runs ?? (() => true);
	const kept = builtIns({
		network: options.network,
		hasDns: options.hasDns === true,
		bindsClaims: runs("persistentvolume-controller"),
		accounts,
	});
	const first = { objects: kept.filter(needsNoAddress), requester: apiServer };
	const isNew = await writeFirstContents(options.store, clock, first);
	const api = await createApi({
		keptLogs: history,
		metrics,
		storeBytes: options.storeBytes,
		usage: async () => (await usage?.read()) ?? [],
		store,
		clock,
		registry,
		wallClock: options.wallClock,
		authenticateToken: options.authenticateToken,
		dialAgent: options.dialAgent,
		dialAddress: options.dialAddress,
		proxyClient: () => frontProxy?.client(),
		serviceCidr: options.network.serviceCidr,
		admissionPlugins: options.admissionPlugins ?? [],
		disabledAdmissionPlugins: options.disabledAdmissionPlugins ?? [],
		allowsEverything: options.allowsEverything === true,
		webhooks: options.webhooks ?? [],
		podSecurity: options.podSecurity ?? {},
		apiAudiences: options.apiAudiences ?? [],
		oidc: options.oidc ?? [],
		audit: options.audit,
		onRefused(user, why) {
			// A node may ask for an object of a pod that no longer exists.
			if (!isPartOfCluster(user, accounts) || why.includes("no relationship found between node")) return;
			report(`${user.name} lacks a right`, new ApiError("Forbidden", why));
		},
		onWrite: options.onWrite,
		onError: report,
		serviceAccounts: { signingKey: options.serviceAccountKey, issuer: options.serviceAccountIssuer },
		gitVersion: kubernetesVersion.gitVersion,
		build: buildInfo,
	});
	const client = (user: User, { copies = false } = {}) =>
		createClient(memoryTransport(api.handle, user), { userAgent: userAgentOf(user), clock, copies });
	const reader = client(controllerManager);
	const informers = createInformerCache(reader, { clock, onError: (error, what) => report(what, error) });
	// Registered before the code that follows the registry: a replaced kind is listed again.
	const stopForgetting = registry.onChange(({ removed }) => {
		for (const kind of removed) informers.forget(kind);
	});
	usage = createUsageReader({ client: client(metricsReader), informers, clock });
	const withTokens = (authority: Signing): Signing => ({ signToken: api.secretToken, ...authority });
	const settings: ControllerSettings = {
		...options,
		...(options.authority === undefined ? {} : { authority: withTokens(options.authority) }),
		registry,
		remoteResources: api.remoteResources,
		metrics: usage.metrics,
	};
	const queues = new WorkqueueMetrics(metrics);
	const asServer = client(apiServer);
	await makeBuiltIns(asServer, isNew ? kept.filter((one) => !needsNoAddress(one)) : kept, report);

	const recorder = createEventRecorder(client(eventRecorder), { clock });
	// In the background: nothing waits for the past.
	void history?.start(informers, (regarding, text) =>
		recorder.record({ regarding, ...text, component: "run-history" }),
	);
	const notifier = new Notifier({
		store,
		clock,
		client: client(notifications),
		recorder,
		allow: options.notify?.allow ?? [],
		isPublicOpen: options.notify?.isPublicOpen ?? false,
		send: options.notify?.send,
		onError: (error) => report("notifications", error),
	});
	void notifier.start(informers);
	const start = (controller: Controller<unknown>) =>
		startAs(client(controllerUser(controller)).as(`${controllerManagerName}/${controller.component}`), controller);
	const startAs = (user: Client, controller: Controller<unknown>) =>
		startShell(controller, {
			client: user,
			informers,
			revision: () => reader.revision(),
			clock,
			recorder,
			metrics: queues,
			onError: (error, name, key) => report(`${name} ${key}`, error),
		});
	const startAll = (wanted: readonly Controller<unknown>[]) =>
		wanted.filter(({ component }) => runs(component)).map(start);
	const startOwn = (controller: Controller<unknown>) => startAs(asServer, controller);
	const shells = [...startAll(controllers(settings)), ...ownControllers(kept, options.authority).map(startOwn)];
	const publishAuthority = (authority: Authority) => {
		frontProxy = authority.frontProxy;
		shells.push(
			...startAll(authorityControllers(withTokens(authority))),
			...authenticationControllers(authority).map(startOwn),
		);
	};
	const scheduling = !runs(schedulerName)
		? undefined
		: startScheduler({
				client: client(scheduler).as(schedulerName),
				informers,
				clock,
				metrics,
				recordEvent: (regarding, event) => recorder.record({ regarding, ...event, component: "default-scheduler" }),
			});
	return {
		api,
		informers,
		keptLogs: history,
		client,
		publishAuthority,
		async stop() {
			usage.stop();
			stopForgetting();
			await notifier.stop();
			await Promise.all([scheduling?.stop(), ...shells.map((shell) => shell.stop())]);
			await recorder.flush();
			await history?.stop();
			informers.close();
			await api.close();
		},
	};
}

function createHistory({ store, clock, history }: ControlPlaneOptions, report: (what: string, error: unknown) => void) {
	const settings = historySettings(history === false ? undefined : history);
	return new Recorder({ store, clock, settings, onError: (error) => report("history", error) });
}
