/** Checks whether extension API servers are available, and writes that to the status of their APIServices. */
import { conditionOf, isTrue } from "../../core/conditions.ts";
import { isReason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { type Timer, timestamp } from "../../core/time/clock.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import { type Availability, localCondition, withAvailability } from "../../kinds/apiregistration/availability.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { APIService } from "../../kinds/generated/types.ts";
import { ownContext } from "../mutate/own.ts";
import { updateObject } from "../mutate/update.ts";
import { unassigned } from "../resources/metadata.ts";
import { objectOf } from "../resources/target.ts";
import type { Server } from "../server/server.ts";
import { Worker } from "../server/worker.ts";
import type { Backend } from "./backend.ts";
import { checked } from "./check.ts";
import { ServiceChanges } from "./service-changes.ts";

/** The interval of checks, for what no event reports: a server that hangs, or responds again. */
const againMs = 30_000;

interface Checked {
	apiService: APIService;
	backend: Backend;
	/** One per APIService: a server that hangs does not delay others. */
	worker: Worker;
	again: Timer | undefined;
}

/** Failed checks are repeated after increasing delays. */
class NotAvailable extends Error {}

export class AvailabilityChecks {
	readonly #server: Server;
	readonly #checked = new Map<string, Checked>();
	readonly #changes: ServiceChanges;
	readonly #lost;

	constructor(server: Server) {
		this.#server = server;
		const { registry: metrics } = server.metrics;
		this.#lost = metrics.counters(
			"aggregator_unavailable_apiservice_total",
			"How often APIServices have become unavailable, by reason",
			["name", "reason"],
		);
		metrics.gauge(
			"aggregator_unavailable_apiservice",
			"APIServices that name a service: whether they are unavailable",
			["name"],
			() => [...this.#checked].map(([name, { apiService }]) => [[name], isTrue(apiService, "Available") ? 0 : 1]),
		);
		this.#changes = new ServiceChanges(server, (namespace, name) => {
			for (const [key, { backend, worker }] of this.#checked)
				if (backend.service.namespace === namespace && backend.service.name === name) worker.add(key);
		});
	}

	/** New, with another backend, or with a changed status, which is checked in any case. */
	add(apiService: APIService, backend: Backend): void {
		const { name } = apiService.metadata;
		const before = this.#checked.get(name);
		if (before?.backend === backend) {
			before.apiService = apiService;
			return;
		}
		this.forget(name);
		const worker = new Worker(this.#clock, (key) => this.#check(key), this.#failed);
		this.#checked.set(name, { apiService, backend, worker, again: undefined });
		this.#changes.follow();
		worker.add(name);
	}

	/** One that this server serves itself: only what was said of it before may have to be taken back. */
	local(apiService: APIService): void {
		if (conditionOf(apiService, "Available")?.reason !== localCondition.reason)
			this.#say(apiService, localCondition).catch((error) => this.#failed(apiService.metadata.name, error));
	}

	forget(name: string): void {
		const checked = this.#checked.get(name);
		if (checked === undefined) return;
		this.#checked.delete(name);
		checked.worker.close();
		checked.again?.cancel();
		if (this.#checked.size === 0) this.#changes.stop();
	}

	close(): void {
		for (const name of [...this.#checked.keys()]) this.forget(name);
	}

	/** The other end is outside, whatever time it is in the cluster. */
	get #clock() {
		const { clock, options } = this.#server;
		return options.wallClock ?? clock;
	}

	readonly #failed = (name: string, error: unknown) => {
		if (!(error instanceof NotAvailable)) this.#server.options.onError?.(`APIService ${name}`, error);
	};

	async #check(name: string): Promise<void> {
		const one = this.#checked.get(name);
		if (one === undefined) return;
		one.again?.cancel();
		const found = await checked(this.#server, one.apiService, one.backend);
		// It may have been replaced in the meantime.
		if (this.#checked.get(name) !== one) return;
		await this.#say(one.apiService, found);
		if (found.reason === "FailedDiscoveryCheck") throw new NotAvailable(found.message);
		one.again = this.#clock.after(againMs, () => one.worker.add(name));
	}

	async #say(apiService: APIService, found: Availability): Promise<void> {
		// Of the kind's own objects nothing but its own code is asked for here.
		const kind = apiServices as Kind;
		const now = timestamp(this.#server.clock.now());
		if (withAvailability(apiService.status, found, now) === apiService.status) return;
		if (found.status !== "True" && isTrue(apiService, "Available"))
			this.#lost.of(apiService.metadata.name, found.reason).inc();
		try {
			await updateObject(ownContext(this.#server), objectOf(this.#server, kind, apiService, "status"), {
				make({ object }) {
					// The target names the kind.
					const current = object as APIService;
					const { uid } = current.metadata;
					const metadata = { ...current.metadata, resourceVersion: unassigned };
					if (uid !== apiService.metadata.uid) return { ...current, metadata } as KubeObject;
					return { ...current, metadata, status: withAvailability(current.status, found, now) } as KubeObject;
				},
				strategy: { prepare() {}, validate: () => [] },
			});
		} catch (error) {
			if (!isReason(error, "NotFound")) throw error;
		}
	}
}
