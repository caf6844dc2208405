/** Rejects invalid annotations of self-managing workloads (docs/self-help.md). */
import { type Cause, invalid } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { forbidden } from "../../core/validation/field-errors.ts";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { webhookAnnotation } from "../../kinds/notify/annotations.ts";
import { pods } from "../../kinds/pod/pod.ts";
import {
	type Awaited,
	type AwaitedKind,
	afterAnnotation,
	afterGate,
	awaitedBy,
	cycleOf,
	isHeldBack,
} from "../../kinds/self-help/after.ts";
import {
	annotationPath,
	cycleProblem,
	growAnnotation,
	isAsked,
	selfHelpProblems,
} from "../../kinds/self-help/annotations.ts";
import { unknownAnnotations } from "../../kinds/self-help/unknown-annotations.ts";
import type { AdmissionStep } from "../server/admission-step.ts";
import type { Server } from "../server/server.ts";
import { mayExpand } from "./storage.ts";

const annotated = [cronJobs, daemonSets, deployments, jobs, namespaces, pods, statefulSets];

export const selfHelp: AdmissionStep = {
	name: "SelfHelp",
	on: { operations: ["create", "update"], kinds: annotated },
	admit({ server, kind, name, object, old, warnings }) {
		const causes = selfHelpProblems(object, old);
		const cycle = kind === cronJobs ? undefined : cycleOf(object, (awaited) => found(awaited, object, server));
		// An existing cycle does not prevent users from removing it.
		if (cycle !== undefined && (old === undefined || awaits(object) !== awaits(old))) causes.push(cycleProblem(cycle));
		// Of that kind, both.
		if (kind === statefulSets && old !== undefined)
			causes.push(...claimGrowth(object as StatefulSet, old as StatefulSet, server));
		if (causes.length > 0) throw invalid(kind, name, causes);
		warnings.push(...unknownAnnotations(object, old), ...missingSecret(object, old, server));
		return undefined;
	},
};

/** A mistyped name of a Secret would be noticed when the first message cannot be sent, which may be weeks later. */
function missingSecret({ kind, metadata }: KubeObject, old: KubeObject | undefined, server: Server): string[] {
	const name = metadata.annotations?.[webhookAnnotation];
	if (!name || kind === "Pod" || name === old?.metadata.annotations?.[webhookAnnotation]) return [];
	const found = server.cache.find(secrets, metadata.namespace, name);
	if (found?.data?.["url"] !== undefined) return [];
	const lack = found === undefined ? `there is no secret ${name}` : `secret ${name} has no key url`;
	return [`${annotationPath(webhookAnnotation)}: ${lack} in this namespace; messages wait for it, a day at most`];
}

const kinds: Readonly<Record<AwaitedKind, Kind<never>>> = {
	Job: jobs,
	StatefulSet: statefulSets,
	Deployment: deployments,
	DaemonSet: daemonSets,
	Pod: pods,
};

function found({ kind, name }: Awaited, { metadata }: KubeObject, { cache }: Server): KubeObject | undefined {
	return cache.find(kinds[kind], metadata.namespace, name);
}

function awaits(object: KubeObject): string {
	return awaitedBy(object)
		.map(({ id }) => id)
		.join();
}

/**
 * Upstream's rule for the growth of a claim; claims without a class of their own took the default one, and the
 * controller looks at it.
 */
function claimGrowth(set: StatefulSet, old: StatefulSet, server: Server): Cause[] {
	if (!isAsked(set, growAnnotation)) return [];
	return (set.spec.volumeClaimTemplates ?? []).flatMap(({ spec }, index) => {
		const before = old.spec.volumeClaimTemplates?.[index]?.spec;
		const [size, oldSize] = [spec, before].map((of) => of?.resources?.requests?.["storage"] ?? "0");
		const className = spec?.storageClassName ?? "";
		if (size === oldSize || className === "" || mayExpand(server, className)) return [];
		const at = `spec.volumeClaimTemplates[${index}].spec.resources.requests.storage`;
		return forbidden(at, `storage class ${className} does not allow volume expansion`);
	});
}

/**
 * Pods that are to wait for other workloads get the gate that holds them back; those that have their node already run
 * as they are.
 */
export const workloadOrder: AdmissionStep = {
	name: "WorkloadOrder",
	on: { operations: ["create"], kinds: [pods] },
	admit({ object }) {
		if (!object.metadata.annotations?.[afterAnnotation]) return undefined;
		// Of that kind.
		const { spec } = object as Pod;
		if (spec.nodeName || isHeldBack(object as Pod)) return undefined;
		spec.schedulingGates = [...(spec.schedulingGates ?? []), { name: afterGate }];
		return undefined;
	},
};
