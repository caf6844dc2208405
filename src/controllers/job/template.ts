/** The pods that a Job creates. */
import { controllerOf, type Draft } from "../../core/object.ts";
import type { EnvVar, Job, Pod } from "../../kinds/generated/types.ts";
import { affinityFor } from "../daemonset/placement.ts";
import { podFromTemplate } from "../podcontrol/template.ts";
import { meaningOf } from "./failure-policy.ts";
import {
	countIn,
	ignoredFailuresAnnotation,
	indexAnnotation,
	indexFailuresAnnotation,
	trackingFinalizer,
} from "./pods.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

/** A generated name has five more characters than its prefix, and must be a DNS label. */
const longestPrefix = 58;
const indexVariable = "JOB_COMPLETION_INDEX";

/**
 * @param index undefined for a Job without indexes
 * @param replaced the last failed pod of the same index, with a backoff limit per index
 */
export function newPod(
	job: Job,
	resolved: ResolvedSpec,
	index: number | undefined,
	replaced: Pod | undefined,
): Draft<Pod> {
	const pod = podFromTemplate(job, job.spec.template);
	const { metadata } = pod;
	metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), trackingFinalizer])];
	const owner = controllerOf(job);
	// An addition to upstream: pods are found by the name of their CronJob. A user's own label takes precedence.
	if (owner?.kind === "CronJob" && metadata.labels?.["cronjob"] === undefined)
		metadata.labels = { ...metadata.labels, cronjob: labelValue(owner.name) };
	if (index === undefined) {
		metadata.generateName = `${job.metadata.name}-`;
		return pod;
	}
	const suffix = `-${index}-`;
	metadata.generateName = `${job.metadata.name.slice(0, longestPrefix - suffix.length)}${suffix}`;
	metadata.annotations = { ...metadata.annotations, [indexAnnotation]: `${index}` };
	metadata.labels = { ...metadata.labels, [indexAnnotation]: `${index}` };
	if (resolved.perIndexLimit !== undefined) Object.assign(metadata.annotations, failureCounts(resolved, replaced));
	const node = resolved.perNode?.slots[index]?.node;
	pod.spec = {
		...pod.spec,
		...(node === undefined ? {} : { affinity: affinityFor(pod.spec.affinity, node) }),
		hostname: `${job.metadata.name}-${index}`,
		containers: pod.spec.containers.map(withIndexVariable),
		...(pod.spec.initContainers === undefined
			? {}
			: { initContainers: pod.spec.initContainers.map(withIndexVariable) }),
	};
	return pod;
}

function withIndexVariable<C extends { env?: EnvVar[] }>(container: C): C {
	if (container.env?.some(({ name }) => name === indexVariable)) return container;
	const fieldPath = `metadata.labels['${indexAnnotation}']`;
	return {
		...container,
		env: [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef: { fieldPath } } }],
	};
}

function failureCounts(resolved: ResolvedSpec, replaced: Pod | undefined): Record<string, string> {
	if (replaced === undefined) return { [indexFailuresAnnotation]: "0" };
	let failures = countIn(replaced, indexFailuresAnnotation);
	let ignored = countIn(replaced, ignoredFailuresAnnotation);
	if (meaningOf(replaced, resolved).counts) failures++;
	else ignored++;
	return {
		[indexFailuresAnnotation]: `${failures}`,
		...(ignored > 0 ? { [ignoredFailuresAnnotation]: `${ignored}` } : {}),
	};
}

/** CronJob names have at most 52 characters, so they are valid label values; truncated to be safe. */
function labelValue(name: string): string {
	return name.slice(0, 63).replace(/[^A-Za-z0-9]+$/, "");
}
