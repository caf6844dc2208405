/**
 * ControllerRevisions: the pod template of a StatefulSet or DaemonSet, as a patch that restores it (Kubernetes API
 * reference, "ControllerRevision"; KEP-503). `kubectl rollout undo` applies that patch, `kubectl rollout history`
 * prints it.
 */
import type { InformerCache } from "../../client/informer-cache.ts";
import { controllerReference, type Draft, type KubeObject } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import type { ControllerRevision, PodTemplateSpec } from "../../kinds/generated/types.ts";
import { update } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { canonical, revisionHash } from "./hash.ts";

/** The strategic merge patch that sets the template. Its keys are sorted, because clients compare it byte by byte. */
function templatePatch(template: PodTemplateSpec): object {
	let patch = patches.get(template);
	if (patch === undefined) {
		const text = canonical({ spec: { template: { ...template, $patch: "replace" } } });
		// An object that was serialized is parsed as an object.
		patch = Object.freeze(JSON.parse(text) as object);
		if (Object.isFrozen(template)) patches.set(template, patch);
	}
	return patch;
}

const patches = new WeakMap<PodTemplateSpec, object>();

/** The template of a revision; undefined if its data is not a template. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
	// Written by `templatePatch`, or by a user who created the revision manually: checked as far as it is used.
	const data = revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } } | undefined;
	if (data?.spec?.template === undefined) return undefined;
	const { $patch: _, ...template } = data.spec.template;
	return template;
}

export function isFor(revision: ControllerRevision, template: PodTemplateSpec): boolean {
	return canonical(revision.data) === canonical(templatePatch(template));
}

/** Oldest first. */
export function byRevision(left: ControllerRevision, right: ControllerRevision): number {
	return (
		left.revision - right.revision ||
		compare(left.metadata.creationTimestamp, right.metadata.creationTimestamp) ||
		compare(left.metadata.name, right.metadata.name)
	);
}

export interface RevisionName {
	name: string;
	hash: string;
	/** The count for which the name is free. */
	collisionCount: number;
	/**
	 * A revision with this name and template exists, perhaps of another workload: it is used for this one, too, as
	 * upstream.
	 */
	exists: boolean;
}

/** A name for a template's revision that no revision of another template has. */
export function freeName(
	informers: InformerCache,
	owner: KubeObject & { status?: { collisionCount?: number } },
	template: PodTemplateSpec,
): RevisionName {
	const revisions = informers.of(controllerRevisions);
	for (let collisionCount = owner.status?.collisionCount ?? 0; ; collisionCount++) {
		const hash = revisionHash(templatePatch(template), collisionCount);
		// Upstream's limit, so that the name including the hash is valid.
		const name = `${owner.metadata.name.slice(0, 223)}-${hash}`;
		const found = revisions.get(owner.metadata.namespace, name);
		if (found === undefined || isFor(found, template))
			return { name, hash, collisionCount, exists: found !== undefined };
	}
}

export function revisionDraft(
	owner: KubeObject,
	template: PodTemplateSpec,
	{ name, hash }: RevisionName,
	more: { hashLabel: string; revision: number },
): Draft<ControllerRevision> {
	const { namespace, annotations } = owner.metadata;
	return {
		metadata: {
			name,
			namespace,
			labels: { ...template.metadata?.labels, [more.hashLabel]: hash },
			...(annotations === undefined ? {} : { annotations: { ...annotations } }),
			ownerReferences: [controllerReference(owner)],
		},
		data: templatePatch(template),
		revision: more.revision,
	};
}

/** The same revision with a higher number: after a rollback, it is the newest. */
export function renumbered(revision: ControllerRevision, number: number): Action {
	return update(controllerRevisions, { ...revision, revision: number });
}

function compare(left: string, right: string): number {
	return left < right ? -1 : left > right ? 1 : 0;
}
