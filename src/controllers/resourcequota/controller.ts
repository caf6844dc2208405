/**
 * Tracks the usage of resource quotas. Admission charges what is created; this controller recounts when a quota is new
 * or changed, and credits what is deleted.
 */

import type { InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import { type KubeObject, objectKey, parseKey } from "../../core/object.ts";
import { events } from "../../kinds/core/event.ts";
import { joinKinds, noKinds } from "../../kinds/engine/joined-kinds.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { KindSource, Registry } from "../../kinds/engine/registry.ts";
import type { Pod, ResourceQuota } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isFinished } from "../../kinds/pod/pod-lifecycle.ts";
import { isCounted, usageOf } from "../../kinds/quota/quota-usage.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { type Controller, type WatchRule, watchRule } from "../runtime/controller.ts";
import { type Counted, plan, type QuotaState } from "./plan.ts";

/** How often everything is recounted, in case the status was changed; upstream's resync period. */
const recountMs = 300_000;
const unknownKindMs = 1000;
/** Kinds of the core group whose quota usage may change after their creation. */
const changing = new Set(["services", "persistentvolumeclaims"]);

type GatheredState = QuotaState & { recountMs: number };

/**
 * @param registry of the kinds whose objects are counted
 * @param remote kinds of extension API servers: they are counted, but not charged by admission
 */
export function resourceQuotaController(registry: Registry, remote: KindSource = noKinds): Controller<GatheredState> {
	const kinds = joinKinds(registry, remote);
	return {
		name: "resourcequota",
		component: "resourcequota-controller",
		watches: [quotaRule()],
		follows: {
			kinds,
			rule: (kind) => (isCountable(kind) ? objectRule(kind) : undefined),
			keys: (kind, informers) => quotasOf(kind, informers),
		},
		coalesceMs(key, informers) {
			const { status } = quotaOf(key, informers) ?? {};
			return coalesceMsFor(Number(status?.used?.["pods"] ?? status?.used?.["count/pods"] ?? 0));
		},
		gather(key, informers) {
			const quota = quotaOf(key, informers);
			if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return undefined;
			const names = Object.keys(quota.spec?.hard ?? {});
			const counted: Counted[] = [];
			for (const kind of kinds.all()) {
				if (!isCountable(kind) || !names.some((name) => isCounted(kind, name))) continue;
				const informer = informers.of(kind);
				if (kinds.isRemote(kind)) {
					// Its revisions are its server's own; a server that is down must not hold up the others' counts.
					const objects = [...informer.list(quota.metadata.namespace)];
					if (informer.synced) counted.push({ kind, objects, revision: Number.POSITIVE_INFINITY });
					continue;
				}
				if (!informer.synced) return { quota, counted: [], recountMs: unknownKindMs };
				counted.push({ kind, objects: [...informer.list(quota.metadata.namespace)], revision: informer.revision });
			}
			return { quota, counted, recountMs };
		},
		plan(state, { nowMs }) {
			if (state.recountMs === unknownKindMs) return { actions: [], requeueAfterMs: unknownKindMs };
			return { requeueAfterMs: state.recountMs, ...plan(state, nowMs) };
		},
	};
}

/** Objects that the cluster writes itself do not count. */
function isCountable(kind: Kind): boolean {
	return kind.namespaced && !kind.readOnly && !(kind.group === events.group && kind.plural === events.plural);
}

function quotaOf(key: string, informers: InformerCache): ResourceQuota | undefined {
	const { namespace, name } = parseKey(key);
	return informers.of(resourceQuotas).get(namespace, name);
}

function quotaRule(): WatchRule {
	return watchRule(resourceQuotas, (current, old) => (current === undefined ? [] : quotaKeys(current, old)));
}

/** A charge by admission requires no recount; a new limit does. */
function quotaKeys(current: ResourceQuota, old: ResourceQuota | undefined): string[] {
	const { spec, status } = current;
	const isNew = old === undefined || !sameJson(spec, old.spec) || !sameJson(status?.hard, old.status?.hard);
	return isNew || !sameJson(spec?.hard ?? {}, status?.hard ?? {}) ? [objectKey(current)] : [];
}

/** The quotas that count an object that is created, deleted, or changes its usage. */
function objectRule(kind: Kind): WatchRule {
	return watchRule(kind, function* (current, old, informers) {
		const object = current ?? old;
		if (object === undefined) return;
		if (current !== undefined && old !== undefined && !mayUseOther(kind, current, old)) return;
		yield* quotasOf(kind, informers, object.metadata.namespace);
	});
}

/** Keys of the quotas that count objects of a kind. */
function* quotasOf(kind: Kind, informers: InformerCache, namespace?: string): Iterable<string> {
	for (const quota of informers.of(resourceQuotas).list(namespace))
		if (Object.keys(quota.spec?.hard ?? {}).some((name) => isCounted(kind, name))) yield objectKey(quota);
}

function mayUseOther(kind: Kind, current: KubeObject, old: KubeObject): boolean {
	if (kind.group !== "") return false;
	if (changing.has(kind.plural)) return true;
	if (kind.plural !== pods.plural) return false;
	// The kind implies the type.
	const [now, before] = [current as Pod, old as Pod];
	if (isFinished(now) !== isFinished(before)) return true;
	if (now.metadata.deletionTimestamp !== before.metadata.deletionTimestamp) return true;
	// A resize, or a deadline that was set: another generation. The usage of a resized pod changes with its status.
	if (now.metadata.generation !== before.metadata.generation) return true;
	return (now.metadata.generation ?? 1) > 1 && !sameJson(usageOf(kind, now, 0), usageOf(kind, before, 0));
}
