/** Recounts the usage of a quota (Kubernetes documentation, "Resource Quotas"). Pure. */

import { sameJson } from "../../core/equal.ts";
import type { KubeObject } from "../../core/object.ts";
import { addQuantities, compareQuantities, formatQuantity, quantityNano } from "../../core/quantity.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod, ResourceQuota } from "../../kinds/generated/types.ts";
import type { Amounts } from "../../kinds/pod/spec/pod-amounts.ts";
import { isCounted, usageOf, usesQuotaUntilMs } from "../../kinds/quota/quota-usage.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { isInScopes } from "../../kinds/quota/scopes.ts";
import { updateStatus } from "../runtime/actions.ts";
import type { Plan } from "../runtime/controller.ts";

/** Objects of one kind, and the revision up to which the informer cache has seen that kind. */
export interface Counted {
	kind: Kind;
	objects: readonly KubeObject[];
	revision: number;
}

export interface QuotaState {
	quota: ResourceQuota;
	/** Every kind that the quota counts, with all objects in the quota's namespace. */
	counted: readonly Counted[];
}

export function plan({ quota, counted }: QuotaState, nowMs: number): Plan {
	const hard = quota.spec?.hard ?? {};
	const used: Amounts = {};
	const behind: Kind[] = [];
	const quotaRevision = Number(quota.metadata.resourceVersion);
	let dueMs = Number.POSITIVE_INFINITY;
	for (const { kind, objects, revision } of counted) {
		const names = Object.keys(hard).filter((name) => isCounted(kind, name));
		const sums = sumsOf(quota, kind, objects, names, nowMs);
		// The quota may have been charged for an object that is not visible yet.
		const isLess = names.some((name) => compareQuantities(sums[name] ?? "0", quota.status?.used?.[name] ?? "0") < 0);
		if (isLess && revision < quotaRevision) behind.push(kind);
		Object.assign(used, sums);
		for (const object of objects) {
			const untilMs = timeOfUse(kind, object);
			if (untilMs > nowMs) dueMs = Math.min(dueMs, untilMs + 1);
		}
	}
	if (behind.length > 0)
		return { actions: [{ do: "catchUp", kinds: behind, revision: quotaRevision }], requeueAfterMs: 0 };
	const later = dueMs === Number.POSITIVE_INFINITY ? {} : { requeueAtMs: dueMs };
	const status = { ...quota.status, hard, used };
	if (sameJson(status, quota.status ?? {})) return { actions: [], ...later };
	return { actions: [updateStatus(resourceQuotas, { ...quota, status })], ...later };
}

/** When a terminating pod stops counting; Infinity for other objects. */
function timeOfUse(kind: Kind, object: KubeObject): number {
	// The kind implies that it is a pod.
	return kind.group === "" && kind.plural === "pods" ? usesQuotaUntilMs(object as Pod) : Number.POSITIVE_INFINITY;
}

/** There are many objects but few different usages: equal ones are multiplied. */
function sumsOf(
	quota: ResourceQuota,
	kind: Kind,
	objects: readonly KubeObject[],
	names: readonly string[],
	nowMs: number,
): Amounts {
	const tallies = new Map(names.map((name) => [name, new Map<string, number>()]));
	for (const object of objects) {
		if (!isInScopes(quota, kind, object)) continue;
		const usage = knownUsage(kind, object, nowMs);
		for (const [name, tally] of tallies) {
			const quantity = usage[name];
			if (quantity !== undefined) tally.set(quantity, (tally.get(quantity) ?? 0) + 1);
		}
	}
	const sums: Amounts = {};
	for (const [name, tally] of tallies) {
		let sum = "0";
		for (const [quantity, count] of tally) sum = addQuantities(sum, times(quantity, count));
		sums[name] = sum;
	}
	return sums;
}

function times(quantity: string, count: number): string {
	return formatQuantity(quantityNano(quantity) * BigInt(count), quantity.endsWith("i") ? "binary" : "decimal");
}

/** An object's usage depends on the time only while it is being deleted; objects are immutable. */
const usages = new WeakMap<KubeObject, Amounts>();

function knownUsage(kind: Kind, object: KubeObject, nowMs: number): Amounts {
	if (object.metadata.deletionTimestamp !== undefined) return usageOf(kind, object, nowMs);
	let usage = usages.get(object);
	if (usage === undefined) {
		usage = usageOf(kind, object, nowMs);
		usages.set(object, usage);
	}
	return usage;
}
