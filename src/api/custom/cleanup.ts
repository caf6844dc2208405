/** Empties the resources of definitions that are being deleted, and then lets the definitions go. */
import { type Condition, conditionHolds, withCondition } from "../../kinds/apiextensions/conditions.ts";
import { cleanupFinalizer } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { storedKind } from "../../kinds/apiextensions/served-kind.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { CustomResourceDefinition } from "../../kinds/generated/types.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { deleteObject } from "../mutate/delete.ts";
import { parseDeleteOptions } from "../mutate/options/delete-options.ts";
import { ownContext } from "../mutate/own.ts";
import { removeAll } from "../mutate/remove-all.ts";
import { objectOf, resourceOf } from "../resources/target.ts";
import type { Server } from "../server/server.ts";
import { failing, Worker } from "../server/worker.ts";
import { isBuiltIn } from "./built-in.ts";
import { changeStatus } from "./status.ts";

/** The number of deletions per commit. */
const largestSweep = 256;
/** After this time the status tells that something keeps objects; they are waited for as long as it takes. */
const patienceMs = 60_000;

export class Cleanup {
	readonly #server: Server;
	readonly #registry: Registry;
	readonly #definitions = new Map<string, CustomResourceDefinition>();
	readonly #worker: Worker;
	/** Ends to wait for the last objects of a definition. */
	readonly #waiting = new Map<string, AbortController>();

	constructor(server: Server, registry: Registry) {
		this.#server = server;
		this.#registry = registry;
		this.#worker = new Worker(server.clock, (key) => this.#clean(key), failing(server));
	}

	/** Of a definition that is being deleted; again, when it has been begun already, does nothing. */
	begin(key: string, definition: CustomResourceDefinition): void {
		const isNew = this.#definitions.get(key)?.metadata.uid !== definition.metadata.uid;
		this.#definitions.set(key, definition);
		if (isNew) this.#worker.add(key);
	}

	/** The definition is gone. */
	end(key: string): void {
		this.#definitions.delete(key);
		this.#stopWaiting(key);
	}

	close(): void {
		this.#worker.close();
		for (const key of [...this.#waiting.keys()]) this.#stopWaiting(key);
	}

	/** Continues the deletions that the previous server process began. */
	async #clean(key: string): Promise<void> {
		const definition = this.#definitions.get(key);
		if (definition === undefined || !(definition.metadata.finalizers ?? []).includes(cleanupFinalizer)) return;
		const kind = storedKind(definition);
		await this.#say(definition, terminating("True", "InstanceDeletionInProgress"));
		if (isBuiltIn(this.#registry, kind)) return this.#finish(definition, "OverlappingBuiltInResource");
		if (!conditionHolds(definition, "Established")) return this.#finish(definition, "NeverEstablished");
		await this.#deleteObjects(kind);
		if (this.#server.cache.resource(kind).size > 0) this.#wait(key, definition, kind);
		else await this.#finish(definition, "InstanceDeletionCompleted");
	}

	/** Objects as they are stored: a webhook that converts them may have gone before. */
	async #deleteObjects(kind: Kind): Promise<void> {
		const context = ownContext(this.#server);
		const target = resourceOf(this.#server, kind);
		let sweep: Cached[] = [];
		const remove = async () => {
			if (sweep.length > 0) await removeAll(context, target, sweep);
			sweep = [];
		};
		for (const cached of [...target.objects.range(keyPrefix(kind))]) {
			if ((cached.object.metadata.finalizers ?? []).length === 0) sweep.push(cached);
			else if (cached.object.metadata.deletionTimestamp === undefined)
				await deleteObject(context, objectOf(this.#server, kind, cached.object), parseDeleteOptions({}, noQuery));
			if (sweep.length === largestSweep) await remove();
		}
		await remove();
	}

	/** Until all are gone, or there is another that began to be made before the definition was deleted. */
	#wait(key: string, definition: CustomResourceDefinition, kind: Kind): void {
		this.#stopWaiting(key);
		const { cache, clock } = this.#server;
		const objects = cache.resource(kind);
		const waiting = new AbortController();
		this.#waiting.set(key, waiting);
		const again = () => {
			this.#stopWaiting(key);
			this.#worker.add(key);
		};
		const watcher = {
			scope: { by: "all" } as const,
			change: ({ previous }: { previous: unknown }) => {
				if (objects.size === 0 || previous === undefined) again();
			},
			progress: () => {},
			end: again,
		};
		objects.watch(watcher, cache.revision, waiting.signal);
		const timer = clock.after(patienceMs, () => {
			void this.#say(definition, terminating("True", "InstanceDeletionCheck")).catch(() => {});
		});
		waiting.signal.addEventListener("abort", () => timer.cancel(), { once: true });
	}

	#stopWaiting(key: string): void {
		this.#waiting.get(key)?.abort();
		this.#waiting.delete(key);
	}

	#say(definition: CustomResourceDefinition, condition: Condition): Promise<void> {
		return changeStatus(this.#server, definition, ({ status }, now) => ({
			status: withCondition(status, { ...condition, lastTransitionTime: now }),
		}));
	}

	#finish(definition: CustomResourceDefinition, reason: keyof typeof reasons): Promise<void> {
		const condition = terminating("False", reason);
		return changeStatus(this.#server, definition, ({ metadata, status }, now) => ({
			status: withCondition(status, { ...condition, lastTransitionTime: now }),
			finalizers: (metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer),
		}));
	}
}

const noQuery = new URLSearchParams();

const reasons = {
	InstanceDeletionInProgress: "CustomResource deletion is in progress",
	InstanceDeletionCheck: "could not confirm zero CustomResources remaining: timed out waiting for the condition",
	InstanceDeletionCompleted: "removed all instances",
	NeverEstablished: "resource was never established",
	OverlappingBuiltInResource: "instances overlap with built-in resources in storage",
};

function terminating(status: "True" | "False", reason: keyof typeof reasons): Condition {
	return { type: "Terminating", status, reason, message: reasons[reason] };
}
