/**
 * Follows the definitions of custom resources: settles their status, serves what they define, and empties what goes.
 * Upstream has controllers for that inside its API server; here a definition is served a few milliseconds after it was
 * created.
 */
import { semanticEqual } from "../../core/equal.ts";
import { conditionHolds } from "../../kinds/apiextensions/conditions.ts";
import { customResourceDefinitions, servesTheSame } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { servedKind } from "../../kinds/apiextensions/served-kind.ts";
import { settledStatus, type TakenNames, takenNames } from "../../kinds/apiextensions/settle.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { MutableRegistry } from "../../kinds/engine/registry.ts";
import type { CustomResourceDefinition } from "../../kinds/generated/types.ts";
import type { CacheEvent } from "../cache/event.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { Server } from "../server/server.ts";
import { failing, Worker } from "../server/worker.ts";
import { isBuiltIn } from "./built-in.ts";
import { Cleanup } from "./cleanup.ts";
import { type Converter, converterOf } from "./conversion.ts";
import { changeStatus } from "./status.ts";

interface Entry {
	definition: CustomResourceDefinition;
	/** Undefined: nothing is served, or a built-in kind is in its place. */
	kind: Kind | undefined;
	converter: Converter;
}

export class Definitions {
	readonly #server: Server;
	readonly #registry: MutableRegistry;
	/** By key in the store. */
	readonly #entries = new Map<string, Entry>();
	/** Names of a group are given away one after the other. */
	readonly #settling: Worker;
	readonly #cleanup: Cleanup;
	readonly #closing = new AbortController();

	/** Serves what the cache, which has been filled, holds. */
	constructor(server: Server, registry: MutableRegistry) {
		this.#server = server;
		this.#registry = registry;
		this.#settling = new Worker(server.clock, (key) => this.#settle(key), failing(server));
		this.#cleanup = new Cleanup(server, registry);
		this.#follow();
	}

	close(): void {
		this.#closing.abort();
		for (const { converter } of this.#entries.values()) converter.close();
		this.#settling.close();
		this.#cleanup.close();
	}

	#follow(): void {
		if (this.#closing.signal.aborted) return;
		const objects = this.#server.cache.resource(customResourceDefinitions);
		const gone = new Set(this.#entries.keys());
		const arrived: Kind[] = [];
		for (const { key, object } of objects.range(keyPrefix(customResourceDefinitions))) {
			gone.delete(key);
			const kind = this.#take(key, object);
			if (kind !== undefined) arrived.push(kind);
		}
		for (const key of gone) this.#forget(key);
		if (arrived.length > 0) this.#registry.add(...arrived);
		const watch = new AbortController();
		const watcher = {
			scope: { by: "all" } as const,
			change: ({ key, current }: CacheEvent<CustomResourceDefinition>) => {
				if (current === undefined) {
					this.#forget(key);
					return;
				}
				const kind = this.#take(key, current.object);
				if (kind !== undefined) this.#registry.add(kind);
			},
			progress: () => {},
			// The cache was refilled.
			end: () => {
				watch.abort();
				this.#follow();
			},
		};
		const signal = AbortSignal.any([watch.signal, this.#closing.signal]);
		objects.watch(watcher, this.#server.cache.revision, signal);
	}

	/** @returns the kind that is to be served from now on, where that is another than before */
	#take(key: string, definition: CustomResourceDefinition): Kind | undefined {
		const before = this.#entries.get(key);
		const stays = before !== undefined && servesAsBefore(definition, before.definition);
		const converter = stays ? before.converter : converterOf(this.#server, definition);
		const kind = stays ? before.kind : this.#kindOf(key, definition, converter);
		this.#entries.set(key, { definition, kind, converter });
		if (!stays) before?.converter.close();
		if (kind === undefined && before?.kind !== undefined) this.#registry.remove(before.kind);
		// A status that is as it should be is not written again.
		if (before !== undefined || !conditionHolds(definition, "Established")) this.#settling.add(key);
		if (before !== undefined && !sameNames(before.definition, definition)) this.#reconsider(definition.spec.group);
		if (isGoing(definition)) this.#cleanup.begin(key, definition);
		return stays ? undefined : kind;
	}

	/** The kind of a definition that is served. */
	#kindOf(key: string, definition: CustomResourceDefinition, { convert }: Converter): Kind | undefined {
		if (!conditionHolds(definition, "Established")) return undefined;
		const isTerminating = () => isGoing(this.#entries.get(key)?.definition);
		const kind = servedKind(definition, { isTerminating, convert });
		return kind !== undefined && isBuiltIn(this.#registry, kind) ? undefined : kind;
	}

	#forget(key: string): void {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		this.#entries.delete(key);
		if (entry.kind !== undefined) this.#registry.remove(entry.kind);
		entry.converter.close();
		this.#cleanup.end(key);
		this.#reconsider(entry.definition.spec.group);
	}

	/** Names have become free: others may have wanted them. */
	#reconsider(group: string): void {
		for (const [key, { definition }] of this.#entries)
			if (definition.spec.group === group && !conditionHolds(definition, "NamesAccepted")) this.#settling.add(key);
	}

	async #settle(key: string): Promise<void> {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		await changeStatus(this.#server, entry.definition, (definition, now) => ({
			status: settledStatus(definition, this.#namesOfOthers(key, definition.spec.group), now),
		}));
	}

	#namesOfOthers(key: string, group: string): TakenNames {
		const accepted = [];
		for (const [other, { definition }] of this.#entries)
			if (other !== key && definition.spec.group === group) accepted.push(definition.status?.acceptedNames);
		return takenNames(accepted);
	}
}

function servesAsBefore(definition: CustomResourceDefinition, before: CustomResourceDefinition): boolean {
	return (
		definition.metadata.uid === before.metadata.uid &&
		conditionHolds(definition, "Established") === conditionHolds(before, "Established") &&
		servesTheSame(definition, before)
	);
}

function sameNames({ status: one }: CustomResourceDefinition, { status: other }: CustomResourceDefinition): boolean {
	return semanticEqual(one?.acceptedNames, other?.acceptedNames);
}

function isGoing(definition: CustomResourceDefinition | undefined): boolean {
	return definition?.metadata.deletionTimestamp !== undefined;
}
