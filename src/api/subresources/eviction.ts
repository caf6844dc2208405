/** pods/eviction: a deletion that respects disruption budgets (API concepts, "API-initiated eviction"). */

import { timestamp } from "../../core/clock.ts";
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { deepCopy } from "../../core/object.ts";
import { selectorFrom } from "../../core/selector.ts";
import type { Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import { podDisruptionBudgets } from "../../kinds/poddisruptionbudget.ts";
import { keyPrefix } from "../cache/keys.ts";
import { putObject } from "../commit.ts";
import { decodeUnstored } from "../decode.ts";
import { unassigned } from "../metadata.ts";
import { objectResponse } from "../respond.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, type NamedTarget, named, type Target } from "../target.ts";
import { deleteObject } from "../verbs/delete.ts";
import { type DeleteOptions, parseDeleteOptions } from "../verbs/delete-options.ts";
import { existing } from "../verbs/get.ts";

const attempts = 10;

export async function eviction(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "create") throw methodNotAllowed();
	const wanted = named(target);
	// The type that the body was decoded as.
	const body = decodeUnstored(context, "Eviction", "Eviction") as {
		deleteOptions?: unknown;
		metadata?: { name?: string };
	};
	if (body.metadata?.name !== undefined && body.metadata.name !== "" && body.metadata.name !== wanted.name)
		throw new ApiError("BadRequest", "name in URL does not match name in Eviction object");
	const options = parseDeleteOptions(body.deleteOptions, context.request.query);
	await context.server.cache.fresh();
	// The target is a pod.
	const pod = existing(wanted).object as Pod;
	await disrupt(context, pod, options);
	if (!options.dryRun) await announce(context, wanted, pod.metadata.uid);
	await deleteObject(context, wanted, options);
	return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
}

/** Takes the disruption from the pod's budget, where it has one. @throws ApiError TooManyRequests */
async function disrupt(context: Context, pod: Pod, options: DeleteOptions): Promise<void> {
	const phase = pod.status?.phase;
	const over = phase === "Succeeded" || phase === "Failed" || phase === "Pending";
	if (over || pod.metadata.deletionTimestamp !== undefined) return;
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
		if (cached === undefined) return;
		const budget = deepCopy(cached.object) as PodDisruptionBudget;
		if (mayGoUnhealthy(budget, pod)) return;
		takeDisruption(budget, pod, timestamp(clock.now()));
		if (options.dryRun) return;
		budget.metadata.resourceVersion = unassigned;
		const outcome = await putObject(context.server, budget, { key: cached.key, expected: cached.revision });
		// The controller takes the pod off the list when it sees it go, or after a while.
		if (outcome.ok) return;
	}
	throw tooMany("too many changes to the disruption budget at the same time", undefined);
}

/** Says in the pod's status why it goes: Jobs tell disruptions from failures by it (KEP-3329). */
async function announce({ server }: Context, target: NamedTarget, uid: string): Promise<void> {
	for (let attempt = 1; attempt <= attempts; attempt++) {
		const current = target.objects.get(target.key);
		// The deletion that follows has an answer for a pod that is gone.
		if (current?.object.metadata.uid !== uid) return;
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
		if (outcome.ok) return;
	}
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
