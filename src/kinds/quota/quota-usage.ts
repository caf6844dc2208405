/** The usage of a resource quota by an object (Kubernetes documentation, "Resource Quotas"). */

import type { KubeObject } from "../../core/object.ts";
import { compareQuantities } from "../../core/quantity.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { type Kind, qualifiedResource } from "../engine/kind.ts";
import type {
	PersistentVolumeClaim,
	Pod,
	ResourceRequirements,
	ResourceResourceClaim,
	Service,
} from "../generated/types.ts";
import { isFinished } from "../pod/pod-lifecycle.ts";
import { type Amounts, podAmountsNow } from "../pod/spec/pod-amounts.ts";

const storageClassSuffix = ".storageclass.storage.k8s.io/";
const deviceClassSuffix = ".deviceclass.resource.k8s.io/devices";
/** What a request for all devices of a class counts for: the most that a claim can get. */
const allDevices = 32;
const oldClassAnnotation = "volume.beta.kubernetes.io/storage-class";
/** Kinds that can also be counted by their plain names, from before `count/` existed. */
const plainlyCounted = new Set(["configmaps", "replicationcontrollers", "resourcequotas", "secrets"]);
const podNames = new Set([
	"pods",
	...["cpu", "memory", "ephemeral-storage"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
const serviceNames = new Set(["services", "services.nodeports", "services.loadbalancers"]);

type Names = Pick<Kind, "group" | "plural">;

/** Whether objects of the kind use the resource that a quota names. */
export function isCounted(kind: Names, name: string): boolean {
	if (name === `count/${qualifiedResource(kind)}`) return true;
	if (isResourceClaim(kind)) return name.endsWith(deviceClassSuffix);
	if (kind.group !== "") return false;
	switch (kind.plural) {
		case "pods":
			return podNames.has(name) || name.startsWith("hugepages-") || isRequested(name);
		case "services":
			return serviceNames.has(name);
		case "persistentvolumeclaims":
			return name === "persistentvolumeclaims" || name === "requests.storage" || name.includes(storageClassSuffix);
		default:
			return plainlyCounted.has(kind.plural) && name === kind.plural;
	}
}

/** `requests.` and the name of huge pages or of an extended resource. */
function isRequested(name: string): boolean {
	if (!name.startsWith("requests.")) return false;
	const resource = name.slice("requests.".length);
	return resource.startsWith("hugepages-") || isExtended(resource);
}

/** A resource such as `example.com/gpu`, which nodes do not have by default. */
function isExtended(name: string): boolean {
	return name.includes("/") && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith("requests.");
}

/** All of the object's usage, by the names under which quotas may limit it. */
export function usageOf(kind: Names, object: KubeObject, nowMs: number): Amounts {
	const usage: Amounts = { [`count/${qualifiedResource(kind)}`]: "1" };
	if (isResourceClaim(kind)) return { ...usage, ...deviceUsage(object as ResourceResourceClaim) };
	if (kind.group !== "") return usage;
	// The kind implies the object's type.
	switch (kind.plural) {
		case "pods":
			return podUsesQuota(object as Pod, nowMs) ? { ...usage, ...podUsage(object as Pod) } : usage;
		case "services":
			return { ...usage, ...serviceUsage(object as Service) };
		case "persistentvolumeclaims":
			return { ...usage, ...claimUsage(object as PersistentVolumeClaim) };
		default:
			return plainlyCounted.has(kind.plural) ? { ...usage, [kind.plural]: "1" } : usage;
	}
}

function isResourceClaim({ group, plural }: Names): boolean {
	return group === "resource.k8s.io" && plural === "resourceclaims";
}

/** Of alternatives, the one with the most devices of a class counts. */
function deviceUsage({ spec }: ResourceResourceClaim): Amounts {
	const counts = new Map<string, number>();
	for (const { exactly, firstAvailable = [] } of spec.devices?.requests ?? []) {
		const most = new Map<string, number>();
		for (const { deviceClassName, allocationMode, count = 1 } of exactly === undefined ? firstAvailable : [exactly]) {
			const wanted = allocationMode === "All" ? allDevices : count;
			most.set(deviceClassName, Math.max(wanted, most.get(deviceClassName) ?? 0));
		}
		for (const [name, count] of most) counts.set(name, (counts.get(name) ?? 0) + count);
	}
	return Object.fromEntries([...counts].map(([name, count]) => [name + deviceClassSuffix, String(count)]));
}

/** Not after it has terminated, nor when its grace period is long over. */
function podUsesQuota(pod: Pod, nowMs: number): boolean {
	if (isFinished(pod)) return false;
	return nowMs <= usesQuotaUntilMs(pod);
}

/** When a terminating pod stops counting, because its node is considered lost; Infinity for others. */
export function usesQuotaUntilMs({ metadata }: Pod): number {
	const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
	if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return Number.POSITIVE_INFINITY;
	return parseTimestamp(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function podUsage(pod: Pod): Amounts {
	const requests = podAmountsNow(pod, "requests");
	return { pods: "1", ...computeUsage({ requests, limits: podAmountsNow(pod, "limits") }) };
}

/** Requests and limits by their names in quotas. */
export function computeUsage({
	requests = {},
	limits = {},
}: Pick<ResourceRequirements, "requests" | "limits">): Amounts {
	const usage: Amounts = {};
	for (const [name, quantity] of Object.entries(requests)) {
		if (podNames.has(name) || name.startsWith("hugepages-")) usage[name] = quantity;
		else if (!isExtended(name)) continue;
		usage[`requests.${name}`] = quantity;
	}
	for (const [name, quantity] of Object.entries(limits)) if (podNames.has(name)) usage[`limits.${name}`] = quantity;
	return usage;
}

function serviceUsage({ spec }: Service): Amounts {
	const { type = "ClusterIP", ports = [], allocateLoadBalancerNodePorts } = spec ?? {};
	const usage: Amounts = { services: "1", "services.nodeports": "0", "services.loadbalancers": "0" };
	if (type === "LoadBalancer") usage["services.loadbalancers"] = "1";
	const onlyChosen = type === "LoadBalancer" && allocateLoadBalancerNodePorts === false;
	const counted = onlyChosen ? ports.filter(({ nodePort = 0 }) => nodePort !== 0) : ports;
	if (type === "LoadBalancer" || type === "NodePort") usage["services.nodeports"] = String(counted.length);
	return usage;
}

function claimUsage({ spec, status, metadata }: PersistentVolumeClaim): Amounts {
	const usage: Amounts = { persistentvolumeclaims: "1" };
	const className = metadata.annotations?.[oldClassAnnotation] ?? spec?.storageClassName ?? "";
	if (className !== "") usage[`${className}${storageClassSuffix}persistentvolumeclaims`] = "1";
	const wanted = spec?.resources?.requests?.["storage"];
	if (wanted === undefined) return usage;
	// While a claim is being reduced after a failed expansion, its allocated size still counts.
	const given = status?.allocatedResources?.["storage"];
	const storage = given !== undefined && compareQuantities(given, wanted) > 0 ? given : wanted;
	usage["requests.storage"] = storage;
	if (className !== "") usage[`${className}${storageClassSuffix}requests.storage`] = storage;
	return usage;
}
