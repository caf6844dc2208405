/**
 * Finds the Deployment's newest ReplicaSet, and determines its revision number and what it inherits from the
 * Deployment.
 */
import { controllerReference, type Draft } from "../../core/object.ts";
import type { Deployment, PodTemplateSpec, ReplicaSet } from "../../kinds/generated/types.ts";
import { canonical, revisionHash } from "../revisions/hash.ts";
import { byAge, maxSurge, replicasOf, setReplicasAnnotations } from "./bounds.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
const hashLabel = "pod-template-hash";
/** The maximum number of characters for past revisions in a set's annotation. */
const historyLength = 2000;

/** Annotations that a Deployment's ReplicaSets do not inherit. */
const ownAnnotations = new Set([
	"kubectl.kubernetes.io/last-applied-configuration",
	revisionAnnotation,
	revisionHistoryAnnotation,
	"deployment.kubernetes.io/desired-replicas",
	"deployment.kubernetes.io/max-replicas",
	"deprecated.deployment.rollback.to",
]);

/** The set with the Deployment's template; if there are several, the oldest. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
	const wanted = canonical(deployment.spec.template);
	return [...sets].sort(byAge).find((set) => templateText(set.spec?.template) === wanted);
}

/** The template without the label that only the set's template has. */
function templateText(template: PodTemplateSpec | undefined): string | undefined {
	if (template === undefined) return undefined;
	let text = templateTexts.get(template);
	if (text === undefined) {
		const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
		text = canonical({ ...template, metadata: { ...template.metadata, labels } });
		if (Object.isFrozen(template)) templateTexts.set(template, text);
	}
	return text;
}

const templateTexts = new WeakMap<PodTemplateSpec, string>();

/** An int64: manually created sets may have numbers that a double cannot distinguish. */
export function revisionOf(set: ReplicaSet): bigint {
	const text = set.metadata.annotations?.[revisionAnnotation];
	return text !== undefined && /^-?\d+$/.test(text) ? BigInt(text) : 0n;
}

/** For sorting: oldest first. */
export function byRevision(left: ReplicaSet, right: ReplicaSet): number {
	const [before, after] = [revisionOf(left), revisionOf(right)];
	return before < after ? -1 : before > after ? 1 : 0;
}

/** One more than the highest of the others. */
export function nextRevision(others: readonly ReplicaSet[]): bigint {
	let highest = 0n;
	for (const revision of others.map(revisionOf)) if (revision > highest) highest = revision;
	return highest + 1n;
}

/** The hash in the name of a new set for the Deployment's template. */
export function newSetHash(deployment: Deployment): string {
	return revisionHash(deployment.spec.template, deployment.status?.collisionCount);
}

export function newSetDraft(deployment: Deployment, revision: bigint, replicas: (draft: ReplicaSet) => number) {
	const hash = newSetHash(deployment);
	const { template, selector, minReadySeconds } = deployment.spec;
	const labels = { ...template.metadata?.labels, [hashLabel]: hash };
	const draft: Draft<ReplicaSet> & Pick<ReplicaSet, "spec"> = {
		metadata: {
			name: `${deployment.metadata.name}-${hash}`,
			namespace: deployment.metadata.namespace,
			labels,
			ownerReferences: [controllerReference(deployment)],
		},
		spec: {
			replicas: 0,
			...(minReadySeconds === undefined ? {} : { minReadySeconds }),
			selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
			template: { ...template, metadata: { ...template.metadata, labels } },
		},
	};
	// The functions below read only annotations and spec, which a draft has as well.
	const set = draft as ReplicaSet;
	set.spec = { ...set.spec, selector: set.spec?.selector ?? {}, replicas: replicas(set) };
	setNewSetAnnotations(deployment, set, revision);
	setReplicasAnnotations(set, replicasOf(deployment), replicasOf(deployment) + maxSurge(deployment));
	return draft;
}

/**
 * Sets the Deployment's annotations and revision on the newest set, and records its earlier revisions.
 * @returns whether that changed it
 */
export function setNewSetAnnotations(deployment: Deployment, set: ReplicaSet, revision: bigint): boolean {
	const annotations = { ...set.metadata.annotations };
	let changed = false;
	for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
		if (ownAnnotations.has(name) || annotations[name] === value) continue;
		annotations[name] = value;
		changed = true;
	}
	const before = annotations[revisionAnnotation];
	if (before === undefined || revisionOf(set) < revision) {
		annotations[revisionAnnotation] = `${revision}`;
		if (before !== undefined) remember(annotations, before);
		changed = true;
	}
	if (changed) set.metadata.annotations = annotations;
	return changed;
}

function remember(annotations: Record<string, string>, revision: string): void {
	const past = annotations[revisionHistoryAnnotation];
	const revisions = past === undefined || past === "" ? [] : past.split(",");
	revisions.push(revision);
	while (revisions.length > 1 && revisions.join(",").length > historyLength) revisions.shift();
	annotations[revisionHistoryAnnotation] = revisions.join(",");
}
