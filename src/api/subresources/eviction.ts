/** pods/eviction: a deletion that respects disruption budgets (API concepts, "API-initiated eviction"). */

import { timestamp } from "../../core/clock.ts";
import { ApiError, isReason } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { deepCopy } from "../../core/object.ts";
import { selectorFrom } from "../../core/selector.ts";
import type { Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import { podDisruptionBudgets } from "../../kinds/policy/poddisruptionbudget.ts";
import { admitNodeEviction } from "../admission/node-restriction/pods.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { putObject } from "../commit.ts";
import { decodeUnstored } from "../decode.ts";
import { unassigned } from "../metadata.ts";
import { objectResponse } from "../respond.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, type NamedTarget, named, type Target } from "../target.ts";
import { deleteObject, differs } from "../verbs/delete.ts";
import { type DeleteOptions, parseDeleteOptions } from "../verbs/delete-options.ts";
import { existing } from "../verbs/get.ts";
import { checkNamespace } from "../verbs/identity.ts";
import { modified } from "../verbs/write.ts";

const attempts = 10;

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
	for (let attempt = 1; attempt <= attempts; attempt++) {
		await context.server.cache.fresh();
		const seen = existing(wanted);
		const problem = differs(seen, options, wanted);
		if (problem !== undefined) throw problem;
		// The target is a pod.
		admitNodeEviction(context.user, seen.object as Pod);
		const leave = await disrupt(context, seen.object as Pod, options);
		if (await evict(context, wanted, seen, leave, options))
			return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
	}
	throw modified(wanted);
}

/** @returns false when the pod has changed in the meantime, and may count for its budget now */
async function evict(
	context: Context,
	target: NamedTarget,
	seen: Cached,
	leave: Leave,
	options: DeleteOptions,
): Promise<boolean> {
	const announced = options.dryRun ? seen : await announce(context, target, seen, leave);
	if (announced === undefined) return false;
	const { uid, resourceVersion } = announced.object.metadata;
	try {
		await deleteObject(context, target, {
			...options,
			uid,
			resourceVersion: leave === "granted" ? undefined : resourceVersion,
		});
	} catch (error) {
		if (leave === "as seen" && isReason(error, "Conflict")) return false;
		throw error;
	}
	return true;
}

/** `as seen`: the pod does not count for its budget as long as it does not change. */
type Leave = "granted" | "as seen";

/** Takes the disruption from the pod's budget, where it has one. @throws ApiError TooManyRequests */
async function disrupt(context: Context, pod: Pod, options: DeleteOptions): Promise<Leave> {
	const phase = pod.status?.phase;
	if (phase === "Succeeded" || phase === "Failed" || pod.metadata.deletionTimestamp !== undefined) return "granted";
	if (phase === "Pending") return "as seen";
	const { cache, clock } = context.server;
	const budgets = cache.resource(podDisruptionBudgets);
	for (let attempt = 1; attempt <= attempts; attempt++) {
		const found = [...budgets.range(keyPrefix(podDisruptionBudgets, pod.metadata.namespace))].filter(({ object }) =>
			// The range holds nothing but budgets.
			selectorFrom((object as PodDisruptionBudget).spec?.selector).matches(pod.metadata.labels),
		);
		if (found.length > 1)
			throw new ApiError(
				"InternalError",
				"This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
			);
		const [cached] = found;
		if (cached === undefined) return "granted";
		const budget = deepCopy(cached.object) as PodDisruptionBudget;
		if (mayGoUnhealthy(budget, pod)) return "as seen";
		takeDisruption(budget, pod, timestamp(clock.now()));
		if (options.dryRun) return "granted";
		budget.metadata.resourceVersion = unassigned;
		const outcome = await putObject(context.server, budget, { key: cached.key, expected: cached.revision });
		// The controller takes the pod off the list when it sees it go, or after a while.
		if (outcome.ok) return "granted";
	}
	throw tooMany("too many changes to the disruption budget at the same time", undefined);
}

/**
 * Says in the pod's status why it goes: Jobs tell disruptions from failures by it (KEP-3329).
 * @returns the pod that says so; undefined when it may not go as it is by now
 */
async function announce(
	{ server }: Context,
	target: NamedTarget,
	seen: Cached,
	leave: Leave,
): Promise<Cached | undefined> {
	let current: Cached | undefined = seen;
	for (let attempt = 1; attempt <= attempts; attempt++) {
		// The deletion that follows has an answer for a pod that is gone.
		if (current?.object.metadata.uid !== seen.object.metadata.uid) return seen;
		// The target is a pod.
		const pod = deepCopy(current.object) as Pod;
		const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
		const condition = {
			type: "DisruptionTarget",
			status: "True",
			reason: "EvictionByEvictionAPI",
			message: "Eviction API: evicting",
			lastTransitionTime: timestamp(server.clock.now()),
			observedGeneration: pod.metadata.generation,
		};
		pod.status = { ...pod.status, conditions: [...others, condition] } as typeof pod.status;
		pod.metadata.resourceVersion = unassigned;
		const outcome = await putObject(server, pod, { key: target.key, expected: current.revision });
		if (outcome.ok) return outcome.cached;
		if (leave === "as seen") return undefined;
		current = target.objects.get(target.key);
	}
	return seen;
}

/** A pod that is not ready does not count for its budget, under conditions that the budget names. */
function mayGoUnhealthy({ spec, status }: PodDisruptionBudget, pod: Pod): boolean {
	const isReady =
		pod.status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
	if (isReady) return false;
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
	// Counts are not to be trusted then.
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
