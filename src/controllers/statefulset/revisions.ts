/**
 * The revisions of a StatefulSet: the one its pods come from, the one they are updated to, and those kept for
 * rollbacks.
 */
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import type { ControllerRevision, Pod, PodTemplateSpec, StatefulSet } from "../../kinds/generated/types.ts";
import { byRevision, isFor, type RevisionName, renumbered, revisionDraft, templateOf } from "../revisions/history.ts";
import { create, remove } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { revisionOf } from "./identity.ts";

const hashLabel = "controller.kubernetes.io/hash";

export interface Revision {
	name: string;
	template: PodTemplateSpec;
}

export interface Revisions {
	current: Revision;
	update: Revision;
	collisionCount: number;
	actions: Action[];
}

/** Finds or creates the revision of the current template; renumbers it after a rollback. */
export function revisionsOf(set: StatefulSet, found: readonly ControllerRevision[], free: RevisionName): Revisions {
	const revisions = [...found].sort(byRevision);
	const { template } = set.spec;
	const newest = revisions.at(-1);
	const next = (newest?.revision ?? 0) + 1;
	const same = revisions.filter((revision) => isFor(revision, template)).at(-1);
	const actions: Action[] = [];
	let { collisionCount } = set.status ?? {};
	if (same === undefined) {
		const draft = revisionDraft(set, template, free, { hashLabel, revision: next });
		if (!free.exists) actions.push(create(controllerRevisions, draft));
		collisionCount = free.collisionCount;
	} else if (same !== newest && newest !== undefined && !isFor(newest, template)) {
		actions.push(renumbered(same, next));
	}
	const update = { name: same?.metadata.name ?? free.name, template };
	const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision);
	const past = current && templateOf(current);
	return {
		current: current === undefined || past === undefined ? update : { name: current.metadata.name, template: past },
		update,
		collisionCount: collisionCount ?? 0,
		actions,
	};
}

/** Deletes the oldest revisions beyond the history limit that no pod and no status refers to. */
export function truncated(
	set: StatefulSet,
	found: readonly ControllerRevision[],
	pods: readonly Pod[],
	{ current, update }: Revisions,
): Action[] {
	const live = new Set([current.name, update.name, ...pods.map(revisionOf)]);
	const history = found.filter(({ metadata }) => !live.has(metadata.name)).sort(byRevision);
	const limit = set.spec.revisionHistoryLimit ?? 10;
	const excess = history.length - limit;
	return limit < 0 || excess <= 0
		? []
		: history.slice(0, excess).map((revision) => remove(controllerRevisions, revision));
}
