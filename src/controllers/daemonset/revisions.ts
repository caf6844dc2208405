/** The revisions of a DaemonSet, and which of its pods have the newest. */
import type { KubeObject } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import type { ControllerRevision, DaemonSet, Pod } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { byRevision, isFor, type RevisionName, renumbered, revisionDraft } from "../revisions/history.ts";
import { create, patch, remove } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";

export const hashLabel = "controller-revision-hash";
export const generationLabel = "pod-template-generation";
const generationAnnotation = "deprecated.daemonset.template.generation";

export interface Current {
	/** Value of the label `controller-revision-hash` on pods with the current template. */
	hash: string;
	/** The other revisions, oldest first. */
	old: ControllerRevision[];
	collisionCount: number | undefined;
	actions: Action[];
}

/**
 * Finds or creates the revision of the current template; renumbers it after a rollback, and keeps only one of several.
 */
export function currentRevision(
	set: DaemonSet,
	found: readonly ControllerRevision[],
	pods: readonly Pod[],
	free: RevisionName,
): Current {
	const revisions = [...found].sort(byRevision);
	const old = revisions.filter((revision) => !isFor(revision, set.spec.template));
	const same = revisions.filter((revision) => isFor(revision, set.spec.template));
	const number = old.reduce((highest, { revision }) => Math.max(highest, revision), 0) + 1;
	const actions = old.filter((revision) => hashOf(revision) === "").map(labelled);
	const kept = same.pop();
	if (kept === undefined) {
		const draft = revisionDraft(set, set.spec.template, free, { hashLabel, revision: number });
		const collisionCount = free.collisionCount || set.status?.collisionCount;
		if (!free.exists) actions.push(create(controllerRevisions, draft));
		return { hash: free.hash, old, collisionCount, actions };
	}
	const hash = hashOf(kept) || kept.metadata.name;
	if (kept.revision < number) actions.push(renumbered(kept, number));
	else if (hashOf(kept) === "") actions.push(labelled(kept));
	const duplicates = new Set(same.map(hashOf));
	for (const pod of pods) {
		if (duplicates.has(podHash(pod))) actions.push(merge(podKind, pod, { labels: { [hashLabel]: hash } }));
	}
	actions.push(...same.map((revision) => remove(controllerRevisions, revision)));
	return { hash, old, collisionCount: set.status?.collisionCount, actions };
}

/** Deletes the oldest revisions beyond the history limit, except those that pods have. */
export function cleanedUp(set: DaemonSet, old: readonly ControllerRevision[], pods: readonly Pod[]): Action[] {
	const excess = old.length - (set.spec.revisionHistoryLimit ?? 10);
	if (excess <= 0) return [];
	const live = new Set(pods.map(podHash));
	const idle = old.filter((revision) => !live.has(hashOf(revision)));
	return idle.slice(0, excess).map((revision) => remove(controllerRevisions, revision));
}

/**
 * Whether the pod has the newest template, by the revision's hash or, for pods without that label, by the template's
 * generation.
 */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
	const generation = templateGeneration(set);
	return podHash(pod) === hash || (generation !== undefined && pod.metadata.labels?.[generationLabel] === generation);
}

/** The number of template changes as text; the server keeps it in an annotation. */
export function templateGeneration(set: DaemonSet): string | undefined {
	return set.metadata.annotations?.[generationAnnotation];
}

function podHash(pod: Pod): string {
	return pod.metadata.labels?.[hashLabel] ?? "";
}

function hashOf(revision: ControllerRevision): string {
	return revision.metadata.labels?.[hashLabel] ?? "";
}

/** Adds the label that identifies its pods to a manually created revision: its unique name. */
function labelled(revision: ControllerRevision): Action {
	return merge(controllerRevisions, revision, { labels: { [hashLabel]: revision.metadata.name } });
}

function merge(kind: Parameters<typeof patch>[0], object: KubeObject, metadata: object): Action {
	const { namespace, name, uid } = object.metadata;
	return patch(
		kind,
		{ namespace, name },
		{ type: "merge", patch: { metadata: { uid, ...metadata } } },
		{ orGone: true },
	);
}
