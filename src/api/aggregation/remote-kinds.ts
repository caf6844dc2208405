/** Kinds of extension API servers, for controllers that follow all kinds: those that can be listed, watched and deleted. */
import { sameJson } from "../../core/equal.ts";
import { remoteKind } from "../../kinds/apiregistration/remote-kind.ts";
import { type Kind, qualifiedResource } from "../../kinds/engine/kind.ts";
import type { KindSource, KindsChange } from "../../kinds/engine/registry.ts";
import type { Description } from "./described.ts";

const needed = ["delete", "list", "watch"];

/** A resource in one version only, that of the highest priority: its objects are the same in each. */
export class RemoteKinds implements KindSource {
	#kinds: ReadonlyMap<string, Kind> = new Map();
	#all: readonly Kind[] = [];
	readonly #listeners = new Set<(change: KindsChange) => void>();

	all(): readonly Kind[] {
		return this.#all;
	}

	onChange(listener: (change: KindsChange) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** Takes what extension API servers serve now. */
	update(descriptions: readonly Description[]): void {
		const before = this.#kinds;
		const kinds = new Map<string, Kind>();
		for (const description of [...descriptions].sort((a, b) => b.versionPriority - a.versionPriority))
			for (const kind of kindsOf(description)) {
				const name = qualifiedResource(kind);
				const known = before.get(name);
				if (!kinds.has(name)) kinds.set(name, known !== undefined && sameJson(known, kind) ? known : kind);
			}
		const added = [...kinds.values()].filter((kind) => before.get(qualifiedResource(kind)) !== kind);
		const removed = [...before.values()].filter((kind) => kinds.get(qualifiedResource(kind)) !== kind);
		if (added.length === 0 && removed.length === 0) return;
		this.#kinds = kinds;
		this.#all = [...kinds.values()];
		for (const listener of [...this.#listeners]) listener({ added, removed });
	}
}

function kindsOf({ group, version, resources }: Description): Kind[] {
	return resources
		.filter(({ verbs, responseKind }) => responseKind.kind !== "" && needed.every((verb) => verbs.includes(verb)))
		.map(({ resource, singularResource, responseKind, scope }) => {
			const names = { group, version, plural: resource, kind: responseKind.kind, singular: singularResource };
			return { ...remoteKind(names), namespaced: scope === "Namespaced" };
		});
}
