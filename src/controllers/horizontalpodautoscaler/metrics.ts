/** The metrics of an autoscaler: their source, and the values of one metric. */
import { lookup } from "../../core/object.ts";
import { quantityMilli } from "../../core/quantity.ts";
import type {
	Pod,
	V2CrossVersionObjectReference,
	V2MetricIdentifier,
	V2MetricSpec,
} from "../../kinds/generated/types.ts";

/** The usage of a pod's containers in the window that ended at `atMs`. */
export interface PodUsage {
	atMs: number;
	windowMs: number;
	/** By container name; quantities by resource, `cpu` and `memory`. */
	containers: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The seam for metrics. Absent functions represent an API that is not served; functions that return undefined represent
 * an unknown metric.
 */
export interface MetricsSource {
	podUsage?(pod: Pod): PodUsage | undefined;
	/** A quantity. */
	podMetric?(pod: Pod, metric: V2MetricIdentifier): string | undefined;
	objectMetric?(
		namespace: string,
		object: V2CrossVersionObjectReference,
		metric: V2MetricIdentifier,
	): string | undefined;
	externalMetric?(namespace: string, metric: V2MetricIdentifier): readonly string[] | undefined;
}

/** One pod's value of a metric; `milli` is the value times 1000. */
export interface Sample {
	milli: number;
	atMs: number;
	windowMs: number;
}

/** The values of one metric: samples by pod name, one value for all, or why it is unknown. */
export type Reading = { samples: ReadonlyMap<string, Sample> } | { value: number } | { problem: string };

export function readMetric(
	source: MetricsSource,
	namespace: string,
	spec: V2MetricSpec,
	pods: readonly Pod[],
): Reading {
	switch (spec.type) {
		case "Resource":
			return usage(source, pods, spec.resource?.name ?? "");
		case "ContainerResource":
			return usage(source, pods, spec.containerResource?.name ?? "", spec.containerResource?.container);
		case "Pods":
			return custom(source, pods, spec.pods?.metric ?? { name: "" });
		case "Object":
			return ofObject(source, namespace, spec);
		case "External":
			return external(source, namespace, spec.external?.metric ?? { name: "" });
		default:
			return { problem: `unknown metric source type "${spec.type}"` };
	}
}

/** @param container only this one; otherwise the sum of all containers, without pods for which one is missing */
function usage(source: MetricsSource, pods: readonly Pod[], resource: string, container?: string): Reading {
	const failed = (why: string): Reading => ({ problem: `unable to get metrics for resource ${resource}: ${why}` });
	if (source.podUsage === undefined)
		return failed(
			"unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
		);
	const samples = new Map<string, Sample>();
	let any = false;
	for (const pod of pods) {
		const used = source.podUsage(pod);
		if (used === undefined) continue;
		any = true;
		const { name, namespace } = pod.metadata;
		const parts = container === undefined ? Object.values(used.containers) : [lookup(used.containers)[container]];
		if (container !== undefined && parts[0] === undefined)
			return failed(`container ${container} not present in metrics for pod ${namespace}/${name}`);
		const quantities = parts.map((part) => part?.[resource]);
		if (quantities.some((quantity) => quantity === undefined)) continue;
		const milli = quantities.reduce((sum, quantity) => sum + Number(quantityMilli(quantity ?? "0")), 0);
		samples.set(name, { milli, atMs: used.atMs, windowMs: used.windowMs });
	}
	return any ? { samples } : failed("no metrics returned from resource metrics API");
}

const noCustomMetrics =
	"unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

function custom({ podMetric }: MetricsSource, pods: readonly Pod[], metric: V2MetricIdentifier): Reading {
	if (podMetric === undefined) return { problem: `unable to get metric ${metric.name}: ${noCustomMetrics}` };
	const samples = new Map<string, Sample>();
	for (const pod of pods) {
		const quantity = podMetric(pod, metric);
		// Custom metrics have no window of their own.
		if (quantity !== undefined)
			samples.set(pod.metadata.name, { milli: Number(quantityMilli(quantity)), atMs: 0, windowMs: 60_000 });
	}
	if (samples.size > 0) return { samples };
	return { problem: `unable to get metric ${metric.name}: no metrics returned from custom metrics API` };
}

function ofObject({ objectMetric }: MetricsSource, namespace: string, { object }: V2MetricSpec): Reading {
	const { metric = { name: "" }, describedObject = { kind: "", name: "" } } = object ?? {};
	const failed = (why: string): Reading => ({
		problem: `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/${why}`,
	});
	if (objectMetric === undefined) return failed(noCustomMetrics);
	const quantity = objectMetric(namespace, describedObject, metric);
	return quantity === undefined
		? failed("no metrics returned from custom metrics API")
		: { value: Number(quantityMilli(quantity)) };
}

function external({ externalMetric }: MetricsSource, namespace: string, metric: V2MetricIdentifier): Reading {
	const failed = (why: string): Reading => ({
		problem: `unable to get external metric ${namespace}/${metric.name}/nil: ${why}`,
	});
	if (externalMetric === undefined)
		return failed(
			`unable to fetch metrics from external metrics API: the server could not find the requested resource (get ${metric.name}.external.metrics.k8s.io)`,
		);
	const quantities = externalMetric(namespace, metric);
	if (quantities === undefined || quantities.length === 0)
		return failed("no metrics returned from external metrics API");
	return { value: quantities.reduce((sum, quantity) => sum + Number(quantityMilli(quantity)), 0) };
}
