/** A cluster in one process with a virtual clock, in which every connection between its components can fail. */
import { type Api, createApi } from "../../src/api/handle.ts";
import type { KeptLogName, KeptLogs } from "../../src/api/server/kept-logs.ts";
import type { Client, DeleteOptions } from "../../src/client/client.ts";
import { createEventRecorder } from "../../src/client/events/recorder.ts";
import { type ConnectionFaults, faultyTransport, noFaults } from "../../src/client/faults.ts";
import { createInformerCache } from "../../src/client/informer.ts";
import type { InformerCache } from "../../src/client/informer-cache.ts";
import { createClient } from "../../src/client/requests.ts";
import { memoryTransport } from "../../src/client/transports/memory.ts";
import { makeBuiltIns } from "../../src/cluster/built-ins/make.ts";
import { builtInRoles } from "../../src/cluster/built-ins/roles.ts";
import {
	administrator,
	apiServer,
	controllerManager,
	controllerUser,
	eventRecorder,
	notifications,
	scheduler as schedulerUser,
	serviceAccount,
} from "../../src/cluster/control-plane/identities.ts";
import type { Controller } from "../../src/controllers/runtime/controller.ts";
import { startShell } from "../../src/controllers/runtime/shell.ts";
import type { ApiRequest, Handler, User } from "../../src/core/exchange.ts";
import { type Random, seededRandom } from "../../src/core/time/clock.ts";
import { Recorder } from "../../src/history/recorder.ts";
import { keepRemoved, type StoredFact } from "../../src/history/records/facts.ts";
import { historySettings } from "../../src/history/retention/settings.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { createRegistry, type Registry } from "../../src/kinds/engine/registry.ts";
import { Notifier } from "../../src/notify/notifier.ts";
import type { SendRequest } from "../../src/notify/sinks/request.ts";
import { loadCloudEvents } from "../../src/notify/sinks/webhook.ts";
import { startScheduler } from "../../src/scheduler/scheduler.ts";
import { createFaultyStore, type Faults } from "../../src/store/faulty.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { withinBounds } from "../../src/store/testing/bounded-store.ts";
import type { JumpingClock } from "./jumping-clock.ts";
import { Machines } from "./machines.ts";
import { patientTransport } from "./patient-transport.ts";

// Loaded before virtual time begins, which does not wait for the disk.
await loadCloudEvents();

const collector = serviceAccount("generic-garbage-collector");

export interface SimulatedCluster {
	readonly clock: JumpingClock;
	/** The store itself, behind all faults. */
	readonly store: Store;
	/** Violations outside the store: programs that do not let time pass, pods that run twice. */
	readonly complaints: ReadonlySet<string>;
	/** UIDs of objects that users deleted, or tried to, together with their dependents. */
	readonly deletedByUser: Set<string>;
	/** UIDs of objects that the garbage collector deleted, or tried to. */
	readonly collected: ReadonlySet<string>;
	readonly storeFaults: Faults;
	/** Of the connections of controllers and scheduler, and of nodes. */
	readonly connectionFaults: ConnectionFaults;
	readonly nodeFaults: ConnectionFaults;
	readonly sinkFaults: SinkFaults;
	/** Chance for faults and users, apart from the clock's own. */
	readonly random: Random;
	/** A client whose connection never fails. */
	readonly user: Client;
	readonly machines: Machines;
	readonly controlPlane: ControlPlane;
	/** Notifications that a sink has taken. */
	readonly told: readonly Told[];
	stop(): Promise<void>;
}

/** A notification that a sink has taken. */
export interface Told {
	id: string;
	event: string;
	/** Name of the run. */
	run: string;
	/** The notifier that sent it: each control plane has its own. */
	notifier: number;
}

export interface ControlPlane {
	readonly controllerCount: number;
	/** How long it has been running, without the times it was down, in virtual milliseconds. */
	runningMs(): number;
	/** Stops one controller during its work, and starts it again on the same informer cache. */
	restartController(index: number): Promise<void>;
	/** Stops all controllers and the scheduler, and starts them again later without any state. */
	restart(lastsMs: number): Promise<void>;
	stop(): Promise<void>;
}

export interface ClusterOptions {
	clock: JumpingClock;
	seed: number;
	controllers(registry: Registry): Controller<unknown>[];
	onError?(what: string, error: unknown): void;
}

export async function startCluster(options: ClusterOptions): Promise<SimulatedCluster> {
	const { clock } = options;
	const random = seededRandom(options.seed ^ 0x5eed);
	const storeFaults: Faults = {};
	const connectionFaults: ConnectionFaults = { ...noFaults };
	const nodeFaults: ConnectionFaults = { ...noFaults };
	const complaints = new Set<string>();
	const collected = new Set<string>();
	const history = new History(clock, options.onError);
	const store = keepRemoved(createMemoryStore(), clock, history.told);
	const bounded = withinBounds(store, (what) => complaints.add(what));
	const faultyStore = createFaultyStore(bounded, { faults: storeFaults, clock, random });
	const api: Api = await createApi({
		store: faultyStore,
		keptLogs: history,
		clock,
		registry: createRegistry(catalog),
		serviceCidr: "10.96.0.0/16",
		onRefused(user, why) {
			// A node may request an object of a pod that no longer exists.
			if (!why.includes("no relationship found between node")) complaints.add(`${user.name} lacks a right: ${why}`);
		},
	});
	const connect = (user: User) => {
		const handle: Handler = (request) => {
			const uid = user.name === collector.name ? deletedUid(request) : undefined;
			if (uid !== undefined) collected.add(uid);
			return api.handle(request);
		};
		return patientTransport(memoryTransport(handle, user), clock, (text) => complaints.add(text));
	};
	const unsteady = (user: User) =>
		createClient(faultyTransport(connect(user), { clock, random, faults: connectionFaults }), { userAgent: user.name });
	// Every component except the users has the permissions of a real cluster.
	await makeBuiltIns(createClient(memoryTransport(api.handle, apiServer)), builtInRoles, (what, error) => {
		throw new Error(what, { cause: error });
	});
	const told: Told[] = [];
	const sinkFaults: SinkFaults = { refused: 0, isDown: false };
	const sinks = { faults: sinkFaults, random };
	const controlPlane = startControlPlane(options, api.registry, unsteady, { history, store: faultyStore, told, sinks });
	const machines = new Machines({
		clock,
		random,
		connect,
		faults: nodeFaults,
		violation: (text) => complaints.add(text),
	});
	return {
		clock,
		store,
		storeFaults,
		connectionFaults,
		nodeFaults,
		sinkFaults,
		complaints,
		deletedByUser: new Set(),
		collected,
		random,
		user: createClient(connect(administrator), { userAgent: "user" }),
		machines,
		controlPlane,
		told,
		async stop() {
			await Promise.all([controlPlane.stop(), machines.stop()]);
			await api.close();
			await store.close();
		},
	};
}

/** Records runs while the control plane is up; events that occur while it is down are lost. */
class History implements KeptLogs {
	readonly #clock: JumpingClock;
	readonly #onError: ClusterOptions["onError"];
	#recorder: Recorder | undefined;

	constructor(clock: JumpingClock, onError: ClusterOptions["onError"]) {
		this.#clock = clock;
		this.#onError = onError;
	}

	readonly told = (fact: StoredFact) => this.#recorder?.told(fact);

	start(store: Store, informers: InformerCache): void {
		const onError = (error: unknown) => this.#onError?.("history", error);
		this.#recorder = new Recorder({ store, clock: this.#clock, settings: historySettings(), onError });
		void this.#recorder.start(informers);
	}

	/** @returns waits for the end */
	stop(): () => Promise<void> {
		const ending = this.#recorder?.stop();
		this.#recorder = undefined;
		return async () => ending;
	}

	async receive(...[logs, node]: Parameters<KeptLogs["receive"]>): Promise<boolean[]> {
		return this.#recorder === undefined ? logs.map(() => false) : this.#recorder.receive(logs, node);
	}

	async read(name: KeptLogName): Promise<Buffer | undefined> {
		return this.#recorder?.read(name);
	}
}

/** The maximum number of refusals in a row by a sink, so that its messages are not delayed for minutes. */
const mostRefusals = 2;

/** Faults of the sinks: the probability that they refuse a message, and whether they refuse all. */
export interface SinkFaults {
	refused: number;
	isDown: boolean;
}

function sink(told: Told[], notifier: number, { faults, random }: { faults: SinkFaults; random: Random }): SendRequest {
	let inRow = 0;
	return ({ body }) => {
		if (faults.isDown || (inRow < mostRefusals && random() < faults.refused)) {
			inRow++;
			return 503;
		}
		inRow = 0;
		// As webhooks send it.
		const { id, data } = JSON.parse(body) as { id: string; data: { event: string; run?: string } };
		told.push({ id, event: data.event, run: data.run ?? "", notifier });
		return 200;
	};
}

/** Of the object that a request is to delete, where it says so. */
function deletedUid({ method, body }: ApiRequest): string | undefined {
	if (method !== "DELETE" || body === undefined || !("object" in body)) return undefined;
	// The body that clients send with a deletion.
	return (body.object as DeleteOptions).preconditions?.uid;
}

function startControlPlane(
	{ clock, onError, ...options }: ClusterOptions,
	registry: Registry,
	connect: (user: User) => Client,
	{
		history,
		store,
		told,
		sinks,
	}: { history: History; store: Store; told: Told[]; sinks: { faults: SinkFaults; random: Random } },
): ControlPlane {
	const controllers = options.controllers(registry);
	let notifiers = 0;
	let parts = start();
	/** One restart at a time. */
	let restarting = false;
	/** Of all times that it was down. */
	let downMs = 0;
	let downSinceMs: number | undefined;

	function start() {
		// Controllers and scheduler receive watch events at different times.
		const reader = connect(controllerManager);
		const informers = createInformerCache(reader, { clock });
		const schedulerInformers = createInformerCache(connect(controllerManager), { clock });
		const recorder = createEventRecorder(connect(eventRecorder), { clock });
		const startOne = (controller: Controller<unknown>) =>
			startShell(controller, {
				client: connect(controllerUser(controller)),
				informers,
				revision: () => reader.revision(),
				clock,
				recorder,
				onError: (error, name, key) => onError?.(`${name} ${key}`, error),
			});
		const scheduler = startScheduler({
			client: connect(schedulerUser),
			informers: schedulerInformers,
			clock,
			recordEvent: (regarding, event) => recorder.record({ regarding, ...event, component: "default-scheduler" }),
		});
		history.start(store, informers);
		const notifier = new Notifier({
			store,
			clock,
			client: connect(notifications),
			recorder,
			allow: [],
			isPublicOpen: false,
			send: sink(told, ++notifiers, sinks),
			onError: (error) => onError?.("notifications", error),
		});
		void notifier.start(informers);
		return {
			informers,
			schedulerInformers,
			recorder,
			startOne,
			scheduler,
			notifier,
			shells: controllers.map(startOne),
		};
	}

	async function stop(): Promise<void> {
		const { shells, scheduler, recorder, notifier, informers, schedulerInformers } = parts;
		// The one of this control plane; the next has its own.
		const endHistory = history.stop();
		await Promise.all([scheduler.stop(), ...shells.map((shell) => shell.stop())]);
		await notifier.stop();
		await recorder.flush();
		await endHistory();
		informers.close();
		schedulerInformers.close();
	}

	async function alone(work: () => Promise<void>): Promise<void> {
		if (restarting) return;
		restarting = true;
		await work();
		restarting = false;
	}

	return {
		controllerCount: controllers.length,
		restartController: (index) =>
			alone(async () => {
				const controller = controllers[index];
				if (controller === undefined) return;
				await parts.shells[index]?.stop();
				parts.shells[index] = parts.startOne(controller);
			}),
		runningMs: () => (downSinceMs ?? clock.monotonicMs()) - downMs,
		restart: (lastsMs) =>
			alone(async () => {
				downSinceMs = clock.monotonicMs();
				// As with a killed process, what it sent still arrives, even after its successor has started.
				const ending = stop();
				await clock.sleep(lastsMs);
				downMs += clock.monotonicMs() - downSinceMs;
				downSinceMs = undefined;
				parts = start();
				await ending;
			}),
		stop,
	};
}
