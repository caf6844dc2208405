/**
 * Known annotations on objects where they have no effect, and unknown ones with the same prefix: usually a mistyped
 * name.
 */
import type { KubeObject } from "../../core/object.ts";
import type { CronJob } from "../generated/types.ts";
import { templateOf } from "./after.ts";
import { annotationPath, knownAnnotations, startedByAnnotation } from "./annotations.ts";
import { nodesAnnotation } from "./per-node.ts";

const ours = /(^|\.)coxswain\.io\//;
/** Also for one container: `duration.simulate.coxswain.io/CONTAINER`. */
const simulation =
	/^(simulate\.coxswain\.io\/(duration|exit-code|ready-delay|failure-rate|cpu|memory)|(duration|exit-code|ready-delay|failure-rate|cpu|memory)\.simulate\.coxswain\.io\/.+)$/;
/** Annotations that the cluster itself writes. */
const written: ReadonlySet<string> = new Set([nodesAnnotation, startedByAnnotation]);
const workloads = ["Job", "CronJob", "StatefulSet", "DaemonSet", "Deployment", "Pod"];

interface Annotated {
	annotations?: Record<string, string>;
}

/**
 * A sentence for each of them that `old` does not have, in the object and its templates. Not an error, because an older
 * or newer version may know them.
 */
export function unknownAnnotations(object: KubeObject, old: KubeObject | undefined): string[] {
	const texts = textsOf(object.kind, object.metadata, old?.metadata, "metadata");
	const [template, before] = [templateOf(object), old && templateOf(old)];
	texts.push(...textsOf("Pod", template?.metadata, before?.metadata, "spec.template.metadata"));
	if (object.kind !== "CronJob") return texts;
	// Both have that kind.
	const [jobs, jobsBefore] = [object as CronJob, old as CronJob | undefined].map((one) => one?.spec.jobTemplate);
	const [pods, podsBefore] = [jobs, jobsBefore].map((one) => one?.spec?.template?.metadata);
	texts.push(...textsOf("Job", jobs?.metadata, jobsBefore?.metadata, "spec.jobTemplate.metadata"));
	texts.push(...textsOf("Pod", pods, podsBefore, "spec.jobTemplate.spec.template.metadata"));
	return texts;
}

function textsOf(kind: string, metadata: Annotated | undefined, old: Annotated | undefined, path: string): string[] {
	const texts: string[] = [];
	for (const name in metadata?.annotations) {
		if (!ours.test(name) || old?.annotations?.[name] !== undefined || isKnown(kind, name)) continue;
		texts.push(`${annotationPath(name, path)}: means nothing on a ${kind}; ${remedy(kind, name)}`);
	}
	return texts;
}

function isKnown(kind: string, name: string): boolean {
	return knownAnnotations(kind).includes(name) || written.has(name) || (kind === "Pod" && simulation.test(name));
}

function remedy(kind: string, name: string): string {
	const others = workloads.filter((other) => knownAnnotations(other).includes(name));
	const isOfPods = simulation.test(name) || (others.length === 1 && others[0] === "Pod");
	if (isOfPods) return "it belongs to the template of the pods";
	if (others.length > 0) return `it belongs on a ${others.join(" or ")}`;
	return `known there are ${[...knownAnnotations(kind)].sort().join(", ")}`;
}
