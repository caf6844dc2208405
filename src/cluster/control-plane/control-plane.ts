import { checkPlugins } from "../../api/admission/plugins.ts";
import { type Api, createApi } from "../../api/handle.ts";
import { writeFirstContents } from "../../api/mutate/first-contents.ts";
import type { KeptLogs } from "../../api/server/kept-logs.ts";
import type { Client } from "../../client/client.ts";
import { createEventRecorder, type EventRecorder } from "../../client/events/recorder.ts";
import { createInformerCache } from "../../client/informer.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import { WorkqueueMetrics } from "../../controllers/runtime/workqueue-metrics.ts";
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import { MetricRegistry } from "../../core/metrics/registry.ts";
import { Recorder } from "../../history/recorder.ts";
import { keepRemoved } from "../../history/records/facts.ts";
import { historySettings } from "../../history/retention/settings.ts";
import { catalog } from "../../kinds/catalog.ts";
import { joinKinds } from "../../kinds/engine/joined-kinds.ts";
import { createRegistry, type MutableRegistry } from "../../kinds/engine/registry.ts";
import { Notifier } from "../../notify/notifier.ts";
import { startScheduler } from "../../scheduler/scheduler.ts";
import type { Store } from "../../store/store.ts";
import type { BuiltIn } from "../built-ins/built-in.ts";
import { builtIns, needsNoAddress } from "../built-ins/list.ts";
import { makeBuiltIns } from "../built-ins/make.ts";
import { kubernetesVersion } from "../files/version.ts";
import { buildInfo } from "./build-info.ts";
import { clientTrust } from "./client-trust.ts";
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
	eventRecorder,
	isPartOfCluster,
	metricsReader,
	notifications,
	scheduler,
	systemAccounts,
	userAgentOf,
} from "./identities.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { authenticationControllers, ownControllers } from "./own-controllers.ts";
import { Shells } from "./shells.ts";
import { createUsageReader, type UsageReader } from "./usage-reader.ts";

export type { ControlPlaneOptions } from "./options.ts";

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

/** What exists before the API server, and what it is created with. */
interface Ground {
	options: ControlPlaneOptions;
	/** The store, watched for the history. */
	store: Store;
	registry: MutableRegistry;
	metrics: MetricRegistry;
	history: Recorder | undefined;
	/** Objects that every cluster has. */
	kept: readonly BuiltIn[];
	/** User names of the cluster's components. */
	accounts: ReturnType<typeof systemAccounts>;
	runs(component: string): boolean;
	report(what: string, error: unknown): void;
}

/** What the API server asks for with each request, because it starts, or is replaced, later. */
interface Late {
	usage?: UsageReader;
	frontProxy?: Authority["frontProxy"];
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
	checkPlugins([...(options.admissionPlugins ?? []), ...(options.disabledAdmissionPlugins ?? [])]);
	const ground = prepare(options);
	const first = { objects: ground.kept.filter(needsNoAddress), requester: apiServer };
	const isNew = await writeFirstContents(options.store, options.clock, first);
	const late: Late = options.authority === undefined ? {} : { frontProxy: options.authority.frontProxy };
	const controlPlane = new RunningControlPlane(ground, await openApi(ground, late), late);
	await controlPlane.start(isNew);
	return controlPlane;
}

function prepare(options: ControlPlaneOptions): Ground {
	const report = options.onError ?? (() => {});
	const history = options.history === false ? undefined : createHistory(options, report);
	const registry = options.registry ?? createRegistry(catalog);
	const runs = options.runs ?? (() => true);
	// Only their names are used here.
	const accounts = systemAccounts([...controllers({ ...options, registry }), ...authorityControllers(nobody)]);
	const hasDns = options.hasDns === true;
	const bindsClaims = runs("persistentvolume-controller");
	return {
		options,
		store: history === undefined ? options.store : keepRemoved(options.store, options.clock, history.told),
		registry,
		metrics: new MetricRegistry(),
		history,
		kept: builtIns({ network: options.network, hasDns, bindsClaims, accounts }),
		accounts,
		runs,
		report,
	};
}

function createHistory({ store, clock, history }: ControlPlaneOptions, report: Ground["report"]): Recorder {
	const settings = historySettings(history === false ? undefined : history);
	return new Recorder({ store, clock, settings, onError: (error) => report("history", error) });
}

function openApi({ options, store, registry, metrics, history, accounts, report }: Ground, late: Late): Promise<Api> {
	return createApi({
		keptLogs: history,
		metrics,
		storeFile: options.storeFile,
		usage: async () => (await late.usage?.read()) ?? [],
		store,
		clock: options.clock,
		registry,
		wallClock: options.wallClock,
		authenticateToken: options.authenticateToken,
		dialAgent: options.dialAgent,
		dialAddress: options.dialAddress,
		proxyClient: () => options.proxyClient ?? late.frontProxy?.client(),
		serviceCidr: options.network.serviceCidr,
		admissionPlugins: options.admissionPlugins ?? [],
		disabledAdmissionPlugins: options.disabledAdmissionPlugins ?? [],
		allowsEverything: options.allowsEverything === true,
		webhooks: options.webhooks ?? [],
		withoutEffect: options.withoutEffect ?? {},
		podSecurity: options.podSecurity ?? {},
		apiAudiences: options.apiAudiences ?? [],
		oidc: options.oidc ?? [],
		identityHeaders: options.trust?.frontProxy?.headers,
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
}

class RunningControlPlane implements ControlPlane {
	readonly api: Api;
	readonly informers: InformerCache;
	readonly keptLogs: KeptLogs | undefined;
	readonly #ground: Ground;
	readonly #late: Late;
	readonly #usage: UsageReader;
	readonly #recorder: EventRecorder;
	readonly #notifier: Notifier;
	readonly #shells: Shells;
	readonly #stopForgetting: () => void;
	#scheduling: { stop(): Promise<void> } | undefined;

	constructor(ground: Ground, api: Api, late: Late) {
		const { registry, history, metrics, runs, report } = ground;
		const { clock } = ground.options;
		this.#ground = ground;
		this.#late = late;
		this.api = api;
		this.keptLogs = history;
		const reader = this.client(controllerManager);
		this.informers = createInformerCache(reader, { clock, onError: (error, what) => report(what, error) });
		// Registered before the code that follows the registry: a replaced kind is listed again.
		this.#stopForgetting = joinKinds(registry, api.remoteKinds).onChange(({ removed }) => {
			for (const kind of removed) this.informers.forget(kind);
		});
		this.#usage = createUsageReader({ client: this.client(metricsReader), informers: this.informers, clock });
		late.usage = this.#usage;
		this.#recorder = createEventRecorder(this.client(eventRecorder), { clock });
		this.#notifier = this.#createNotifier();
		this.#shells = new Shells({
			client: (user) => this.client(user),
			informers: this.informers,
			revision: () => reader.revision(),
			clock,
			recorder: this.#recorder,
			metrics: new WorkqueueMetrics(metrics),
			runs,
			onError: report,
		});
	}

	client(user: User, { copies = false } = {}): Client {
		const { clock } = this.#ground.options;
		return createClient(memoryTransport(this.api.handle, user), { userAgent: userAgentOf(user), clock, copies });
	}

	/** @param isNew the store was empty */
	async start(isNew: boolean): Promise<void> {
		const { kept, history, options, report } = this.#ground;
		const missing = isNew ? kept.filter((one) => !needsNoAddress(one)) : kept;
		await makeBuiltIns(this.client(apiServer), missing, report);
		// In the background: nothing waits for the past.
		void history?.start(this.informers, (regarding, text) =>
			this.#recorder.record({ regarding, ...text, component: "run-history" }),
		);
		void this.#notifier.start(this.informers);
		this.#shells.start(controllers(this.#controllerSettings()));
		this.#shells.startOwn(ownControllers(kept, options.trust));
		this.#startScheduler();
	}

	publishAuthority(authority: Authority): void {
		this.#late.frontProxy = authority.frontProxy;
		this.#shells.start(authorityControllers(this.#withTokens(authority)));
		this.#shells.startOwn(authenticationControllers(clientTrust(authority)));
	}

	async stop(): Promise<void> {
		this.#usage.stop();
		this.#stopForgetting();
		await this.#notifier.stop();
		await Promise.all([this.#scheduling?.stop(), this.#shells.stop()]);
		await this.#recorder.flush();
		await this.#ground.history?.stop();
		this.informers.close();
		await this.api.close();
	}

	#createNotifier(): Notifier {
		const { store, options, report } = this.#ground;
		const { clock, notify } = options;
		return new Notifier({
			store,
			clock,
			client: this.client(notifications),
			recorder: this.#recorder,
			allow: notify?.allow ?? [],
			isPublicOpen: notify?.isPublicOpen ?? false,
			send: notify?.send,
			onError: (error) => report("notifications", error),
		});
	}

	#controllerSettings(): ControllerSettings {
		const { options, registry } = this.#ground;
		return {
			...options,
			...(options.authority === undefined ? {} : { authority: this.#withTokens(options.authority) }),
			registry,
			remoteResources: this.api.remoteResources,
			remoteKinds: this.api.remoteKinds,
			metrics: this.#usage.metrics,
		};
	}

	#withTokens(authority: Signing): Signing {
		return { signToken: this.api.secretToken, ...authority };
	}

	#startScheduler(): void {
		const { options, metrics, runs } = this.#ground;
		if (!runs(schedulerName)) return;
		this.#scheduling = startScheduler({
			client: this.client(scheduler).as(schedulerName),
			informers: this.informers,
			clock: options.clock,
			metrics,
			recordEvent: (regarding, event) => this.#recorder.record({ regarding, ...event, component: "default-scheduler" }),
		});
	}
}
