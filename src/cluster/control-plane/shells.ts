import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/recorder.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import { type Shell, startShell } from "../../controllers/runtime/shell.ts";
import type { WorkqueueMetrics } from "../../controllers/runtime/workqueue-metrics.ts";
import type { User } from "../../core/exchange.ts";
import type { Clock } from "../../core/time/clock.ts";
import { apiServer, controllerManagerName, controllerUser } from "./identities.ts";

export interface ShellParts {
	client(user: User): Client;
	informers: InformerCache;
	/** A current revision of the store. */
	revision(): Promise<number>;
	clock: Clock;
	recorder: EventRecorder;
	metrics: WorkqueueMetrics;
	/** Whether the controller with the name of this component runs. */
	runs(component: string): boolean;
	onError(what: string, error: unknown): void;
}

/** The running controllers of a control plane, each with its own user. */
export class Shells {
	readonly #parts: ShellParts;
	readonly #running: Shell[] = [];

	constructor(parts: ShellParts) {
		this.#parts = parts;
	}

	/** Starts those that this control plane runs. */
	start(controllers: readonly Controller<unknown>[]): void {
		for (const controller of controllers.filter(({ component }) => this.#parts.runs(component))) {
			const client = this.#parts.client(controllerUser(controller));
			this.#startAs(client.as(`${controllerManagerName}/${controller.component}`), controller);
		}
	}

	/** Starts controllers that are part of the API server, with its rights. */
	startOwn(controllers: readonly Controller<unknown>[]): void {
		const client = this.#parts.client(apiServer);
		for (const controller of controllers) this.#startAs(client, controller);
	}

	async stop(): Promise<void> {
		await Promise.all(this.#running.map((shell) => shell.stop()));
	}

	#startAs(client: Client, controller: Controller<unknown>): void {
		const { informers, revision, clock, recorder, metrics, onError } = this.#parts;
		const report = (error: unknown, name: string, key: string) => onError(`${name} ${key}`, error);
		const shared = { informers, revision, clock, recorder, metrics };
		this.#running.push(startShell(controller, { client, ...shared, onError: report }));
	}
}
