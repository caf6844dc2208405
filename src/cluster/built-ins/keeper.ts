/**
 * Restores built-in objects that are deleted or changed: `kubectl delete all --all` also deletes the API server's
 * Service.
 */
import { create, remove, update } from "../../controllers/runtime/actions.ts";
import { type Controller, watchRule } from "../../controllers/runtime/controller.ts";
import type { KubeObject } from "../../core/object.ts";
import { type BuiltIn, builtInKey } from "./built-in.ts";

export interface BuiltInState {
	builtIn: BuiltIn;
	found: KubeObject | undefined;
}

/** `kubectl replace --force` deletes an object and creates another, which should not conflict with a restored one. */
const patienceMs = 3000;

/** @param list created before this starts: only changes are examined */
export function builtInKeeper(list: readonly BuiltIn[]): Controller<BuiltInState> {
	const byKey = new Map(list.map((one) => [builtInKey(one.kind, one.draft.metadata), one]));
	const kinds = new Set(list.map(({ kind }) => kind));
	return {
		name: "built-in-keeper",
		component: "kube-apiserver",
		watches: [...kinds].map((kind) =>
			watchRule(kind, (_current, old) => {
				if (old === undefined) return [];
				const key = builtInKey(kind, old.metadata);
				return byKey.has(key) ? [key] : [];
			}),
		),
		gather(key, informers) {
			const one = byKey.get(key);
			if (one === undefined) return undefined;
			const { namespace, name = "" } = one.draft.metadata;
			return { builtIn: one, found: informers.of(one.kind).get(namespace, name) };
		},
		plan({ builtIn: { kind, draft, mended }, found }, { waitedMs }) {
			if (found === undefined)
				return waitedMs < patienceMs
					? { actions: [], requeueAfterMs: patienceMs - waitedMs }
					: { actions: [create(kind, draft, { orExists: true })] };
			// It is created again after its deletion.
			if (found.metadata.deletionTimestamp !== undefined) return { actions: [] };
			const next = mended(found);
			if (next === undefined) return { actions: [] };
			if (next !== "replace") return { actions: [update(kind, next)] };
			return { actions: [remove(kind, found), create(kind, draft, { orExists: true })] };
		},
	};
}
