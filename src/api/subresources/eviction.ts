/** pods/eviction: a deletion that respects disruption budgets (API concepts, "API-initiated eviction"). */

import { ApiError, isReason } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { copyObject, type KubeObject } from "../../core/object.ts";
import { selectorFrom } from "../../core/selection/selector.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import { isActive, isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { podDisruptionBudgets } from "../../kinds/policy/poddisruptionbudget.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { deleteObject, differs } from "../mutate/delete.ts";
import { checkNamespace } from "../mutate/identity.ts";
import { type DeleteOptions, parseDeleteOptions } from "../mutate/options/delete-options.ts";
import { ownContext } from "../mutate/own.ts";
import { retryOnConflict } from "../mutate/retry.ts";
import { admitOnly } from "../mutate/settle.ts";
import { statusStrategy } from "../mutate/strategies.ts";
import { modified, updateObject } from "../mutate/update.ts";
import { writeOf } from "../mutate/write.ts";
import { decodeUnstored } from "../resources/decode.ts";
import { unassigned } from "../resources/metadata.ts";
import { existing, methodNotAllowed, type NamedTarget, named, objectOf, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { objectResponse } from "../wire/respond.ts";

export async function eviction(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "create") throw methodNotAllowed();
	const wanted = named(target);
	// The type that the body was decoded as.
	const body = decodeUnstored(context, "Eviction", "Eviction") as {
		deleteOptions?: unknown;
		metadata?: { name?: string; namespace?: string };
	};
	if (body.metadata?.name !== undefined && body.metadata.name !== "" && body.metadata.name !== wanted.name)
		throw new ApiError("BadRequest", "name in URL does not match name in Eviction object");
	checkNamespace(wanted, body.metadata ?? {});
	const options = parseDeleteOptions(body.deleteOptions, context.request.query);
	// Decoded as one, with what it leaves out.
	const sent = { ...body, apiVersion: "policy/v1", kind: "Eviction", metadata: { ...body.metadata } } as KubeObject;
	await retryOnConflict(() => evictAsSeen(context, wanted, options, sent));
	return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
}

/** @returns a conflict if the pod has changed in the meantime, and may count for its budget now */
async function evictAsSeen(
	context: Context,
	target: NamedTarget,
	options: DeleteOptions,
	sent: KubeObject,
): Promise<ApiError | undefined> {
	await context.server.cache.fresh();
	const seen = existing(target);
	const problem = differs(seen, options, target);
	if (problem !== undefined) throw problem;
	await admitEviction(context, target, seen, { sent, dryRun: options.dryRun });
	// The target is a pod.
	const leave = await disrupt(context, seen.object as Pod, options);
	try {
		const announced = options.dryRun ? seen : await announce(context, target, seen, leave);
		const { uid, resourceVersion } = announced.object.metadata;
		const asSeen = leave === "as seen" ? resourceVersion : undefined;
		await deleteObject(context, target, { ...options, uid, resourceVersion: asSeen });
	} catch (error) {
		if (leave === "as seen" && isReason(error, "Conflict")) return modified(target);
		throw error;
	}
	return undefined;
}

/** Admission before anything is written: the deletion comes last. @throws ApiError of admission */
async function admitEviction(
	context: Context,
	target: NamedTarget,
	{ object }: Cached,
	how: { sent: KubeObject; dryRun: boolean },
): Promise<void> {
	await admitOnly(writeOf(context, target, { operation: "create", object, old: object, ...how }));
}

/** `as seen`: an unchanged pod does not count for its budget. */
type Leave = "granted" | "as seen";

/** Counts the disruption in the pod's budget, if it has one. @throws ApiError TooManyRequests */
async function disrupt({ server }: Context, pod: Pod, options: DeleteOptions): Promise<Leave> {
	if (!isActive(pod)) return "granted";
	if (pod.status?.phase === "Pending") return "as seen";
	const budgets = server.cache.resource(podDisruptionBudgets);
	const found = [...budgets.range(keyPrefix(podDisruptionBudgets, pod.metadata.namespace))].filter(({ object }) =>
		selectorFrom(object.spec?.selector).matches(pod.metadata.labels),
	);
	if (found.length > 1)
		throw new ApiError(
			"InternalError",
			"This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
		);
	const [cached] = found;
	if (cached === undefined) return "granted";
	const now = timestamp(server.clock.now());
	let leave: Leave = "granted";
	try {
		// The controller removes the pod from the list when it observes the deletion, or after a while.
		await updateObject(ownContext(server), objectOf(server, podDisruptionBudgets as Kind, cached.object, "status"), {
			make({ object }) {
				const budget = copyObject(object) as PodDisruptionBudget;
				leave = mayGoUnhealthy(budget, pod) ? "as seen" : "granted";
				if (leave === "granted") takeDisruption(budget, pod, now);
				return budget;
			},
			strategy: statusStrategy(podDisruptionBudgets as Kind, now),
			dryRun: options.dryRun,
		});
	} catch (error) {
		if (isReason(error, "NotFound")) return "granted";
		if (!isReason(error, "Conflict")) throw error;
		throw tooMany("too many changes to the disruption budget at the same time", undefined);
	}
	return leave;
}

/**
 * Sets the condition that marks the disruption: Jobs distinguish disruptions from failures by it (KEP-3329).
 * @returns the changed pod; the given one if it no longer exists
 * @throws ApiError Conflict if it has changed so that it may not be evicted
 */
async function announce({ server }: Context, target: NamedTarget, seen: Cached, leave: Leave): Promise<Cached> {
	const { kind } = target;
	const now = timestamp(server.clock.now());
	try {
		return await updateObject(ownContext(server), objectOf(server, kind, seen.object, "status"), {
			make({ object }) {
				// The target is a pod.
				const pod = copyObject(object) as Pod;
				const { uid, resourceVersion } = seen.object.metadata;
				pod.metadata.uid = uid;
				pod.metadata.resourceVersion = leave === "as seen" ? resourceVersion : unassigned;
				pod.status = { ...pod.status, conditions: disrupted(pod, now) } as typeof pod.status;
				return pod;
			},
			strategy: statusStrategy(kind, now),
		});
	} catch (error) {
		// The deletion that follows reports a missing or replaced pod.
		if (isReason(error, "NotFound") || (leave === "granted" && isReason(error, "Conflict"))) return seen;
		throw error;
	}
}

function disrupted({ status, metadata }: Pod, now: string): object[] {
	const others = (status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
	return others.concat({
		type: "DisruptionTarget",
		status: "True",
		reason: "EvictionByEvictionAPI",
		message: "Eviction API: evicting",
		lastTransitionTime: now,
		...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
	});
}

/** A pod that is not ready does not count for its budget, under conditions that the budget names. */
function mayGoUnhealthy({ spec, status }: PodDisruptionBudget, pod: Pod): boolean {
	if (isReady(pod)) return false;
	if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
	const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
	return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function takeDisruption(budget: PodDisruptionBudget, pod: Pod, now: string): void {
	const { metadata, status } = budget;
	const { name } = metadata;
	if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
		throw tooMany(
			"Cannot evict pod as it would violate the pod's disruption budget.",
			`The disruption budget ${name} is still being processed by the server.`,
			10,
		);
	}
	const { disruptionsAllowed: allowed = 0 } = status;
	if (allowed < 0) throw new ApiError("Forbidden", `pdb disruptions allowed is negative: ${allowed}`);
	if (Object.keys(status.disruptedPods ?? {}).length > 2000)
		throw new ApiError("Forbidden", "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
	if (allowed === 0) {
		throw tooMany("Cannot evict pod as it would violate the pod's disruption budget.", whyNot(budget));
	}
	status.disruptionsAllowed = allowed - 1;
	status.disruptedPods = { ...status.disruptedPods, [pod.metadata.name]: now } as typeof status.disruptedPods;
}

function whyNot({ metadata: { name }, status }: PodDisruptionBudget): string {
	const { desiredHealthy = 0, currentHealthy = 0, conditions = [] } = status ?? {};
	const allowed = conditions.find(({ type }) => type === "DisruptionAllowed");
	const refusal = allowed?.status === "False" && allowed.message !== "" ? allowed : undefined;
	const refused = `The disruption budget ${name} does not allow evicting pods currently`;
	// The counts are not reliable then.
	if (refusal?.reason === "SyncFailed") return `${refused} because it failed sync: ${refusal.message}`;
	if (currentHealthy <= desiredHealthy)
		return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
	return refusal === undefined ? refused : `${refused} (${refusal.reason}): ${refusal.message}`;
}

function tooMany(message: string, cause: string | undefined, retryAfterSeconds = 0): ApiError {
	return new ApiError("TooManyRequests", message, {
		...(cause === undefined ? {} : { causes: [{ reason: "DisruptionBudget", message: cause }] }),
		...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
	});
}
