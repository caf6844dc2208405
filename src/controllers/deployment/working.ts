/** A Deployment's ReplicaSets during planning: later steps see the changes, and each set is written once. */
import { type Draft, deepCopy } from "../../core/object.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import type { Deployment, ReplicaSet } from "../../kinds/generated/types.ts";
import { create, event, remove, update } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { maxSurge, replicasOf, setReplicasAnnotations } from "./bounds.ts";

export class Working {
	readonly deployment: Deployment;
	/** Copies that may be changed. */
	readonly sets: ReplicaSet[];
	readonly #before: ReadonlyMap<string, ReplicaSet>;
	readonly #changed = new Set<ReplicaSet>();
	readonly #created: Action[] = [];
	readonly #events: Action[] = [];
	readonly #deleted: Action[] = [];

	constructor(deployment: Deployment, sets: readonly ReplicaSet[]) {
		this.deployment = deployment;
		this.#before = new Map(sets.map((set) => [set.metadata.uid, set]));
		this.sets = sets.map((set) => deepCopy(set));
	}

	/** Called for a set that was changed other than with `scale`. */
	touch(set: ReplicaSet): void {
		this.#changed.add(set);
	}

	/**
	 * Sets the number of replicas, with the annotations for proportional scaling.
	 * @returns whether the number changed
	 */
	scale(set: ReplicaSet, replicas: number): boolean {
		const before = replicasOf(set);
		const wanted = replicasOf(this.deployment);
		if (setReplicasAnnotations(set, wanted, wanted + maxSurge(this.deployment))) this.touch(set);
		if (before === replicas) return false;
		set.spec = { ...set.spec, replicas };
		this.touch(set);
		this.#events.push(scaled(this.deployment, set.metadata.name, before, replicas));
		return true;
	}

	create(draft: Draft<ReplicaSet>): void {
		const { deployment } = this;
		const replicas = draft.spec?.replicas ?? 0;
		const name = draft.metadata.name ?? "";
		const message = `Failed to create new replica set "${name}": {error}`;
		const failureEvent = { regarding: deployment, type: "Warning", reason: "ReplicaSetCreateError", message } as const;
		this.#created.push(create(replicaSets, draft, { failureEvent }));
		if (replicas > 0) this.#events.push(scaled(deployment, name, 0, replicas));
	}

	remove(set: ReplicaSet): void {
		this.#deleted.push(remove(replicaSets, this.#before.get(set.metadata.uid) ?? set));
	}

	actions(): Action[] {
		const updates = [...this.#changed].map((set) => update(replicaSets, set));
		// Creates come first: if one is rejected, nothing else has happened.
		return [...this.#created, ...updates, ...this.#events, ...this.#deleted];
	}
}

function scaled(deployment: Deployment, name: string, before: number, after: number): Action {
	const message = `Scaled ${after > before ? "up" : "down"} replica set ${name} from ${before} to ${after}`;
	return event(deployment, "Normal", "ScalingReplicaSet", message);
}
