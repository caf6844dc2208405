/** Takes claims back from pods that need them no more, with their devices when no pod is left. */
import { deepCopy, objectKey, parseKey } from "../../core/object.ts";
import type {
	Pod,
	ResourceResourceClaim as ResourceClaim,
	ResourceClaimConsumerReference,
} from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { claimFinalizer, claimNameOf } from "../../kinds/resource/pod-claims.ts";
import { resourceClaims } from "../../kinds/resource/resourceclaim.ts";
import { confirmAbsent, remove, update, updateStatus } from "../runtime/actions.ts";
import { type Controller, type Plan, type PlanContext, watchRule } from "../runtime/controller.ts";
import { isDone } from "./users.ts";

export interface ClaimState {
	claim: ResourceClaim;
	/** Those that the claim is reserved for, and the one that it was made for; by uid. */
	pods: ReadonlyMap<string, Pod>;
}

/** The devices were given back: the claim needs its finalizer no more. */
interface Memory {
	isReleased: true;
}

export const resourceClaimController: Controller<ClaimState, Memory> = {
	name: "resource-claim",
	component: "resource_claim",
	account: "resource-claim-controller",
	watches: [
		watchRule(resourceClaims, (current) => (current === undefined ? [] : [objectKey(current)])),
		watchRule(
			pods,
			(current, old) => {
				const pod = current ?? old;
				if (pod?.spec.resourceClaims === undefined || (current !== undefined && !isDone(current))) return [];
				return pod.spec.resourceClaims.flatMap((entry) => {
					const name = claimNameOf(pod, entry);
					return typeof name === "string" ? [] : [`${pod.metadata.namespace}/${name.name}`];
				});
			},
			{ expectations: false },
		),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const claim = informers.of(resourceClaims).get(namespace, name);
		if (claim === undefined) return undefined;
		const users = new Map<string, Pod>();
		const names = [...(claim.status?.reservedFor ?? []), ...(claim.metadata.ownerReferences ?? [])];
		for (const { name: podName, uid } of names) {
			const pod = informers.of(pods).get(namespace, podName);
			if (pod?.metadata.uid === uid) users.set(uid, pod);
		}
		return { claim, pods: users };
	},
	plan,
};

function plan({ claim, pods: users }: ClaimState, { memory }: PlanContext<Memory>): Plan<Memory> {
	const { namespace, finalizers = [], deletionTimestamp } = claim.metadata;
	const { reservedFor = [], allocation } = claim.status ?? {};
	const isProtected = finalizers.includes(claimFinalizer);
	const left = reservedFor.filter((consumer) => isNeeded(consumer, users));
	if (left.length < reservedFor.length) {
		// The informer cache may not show a pod that the scheduler knows already.
		const gone = reservedFor.filter((consumer) => isPod(consumer) && !users.has(consumer.uid));
		const checks = gone.map(({ name, uid }) => confirmAbsent(pods, { namespace, name }, uid));
		const releases = left.length === 0 && isProtected;
		const next = withUsers(claim, left, releases);
		return { actions: [...checks, updateStatus(resourceClaims, next)], ...(releases ? { memory: released } : {}) };
	}
	if (left.length > 0) return { actions: [] };
	if (isProtected && allocation !== undefined && deletionTimestamp !== undefined)
		return { actions: [updateStatus(resourceClaims, withUsers(claim, [], true))], memory: released };
	// While the scheduler allocates a claim, it has the finalizer, but no allocation yet.
	if (isProtected && allocation === undefined && (memory?.isReleased || deletionTimestamp !== undefined))
		return { actions: [update(resourceClaims, unprotected(claim))] };
	const owner = claim.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === "Pod");
	const pod = owner && users.get(owner.uid);
	return {
		actions: pod !== undefined && isDone(pod) && deletionTimestamp === undefined ? [remove(resourceClaims, claim)] : [],
	};
}

const released: Memory = { isReleased: true };

function isPod({ apiGroup = "", resource }: ResourceClaimConsumerReference): boolean {
	return apiGroup === "" && resource === "pods";
}

function isNeeded(consumer: ResourceClaimConsumerReference, users: ReadonlyMap<string, Pod>): boolean {
	if (!isPod(consumer)) return true;
	const pod = users.get(consumer.uid);
	return pod !== undefined && !isDone(pod);
}

function withUsers(claim: ResourceClaim, users: ResourceClaimConsumerReference[], releases: boolean): ResourceClaim {
	const next = deepCopy(claim);
	const { reservedFor: _, allocation, ...rest } = next.status ?? {};
	next.status = {
		...rest,
		...(allocation === undefined || releases ? {} : { allocation }),
		...(users.length === 0 ? {} : { reservedFor: users }),
	};
	return next;
}

function unprotected(claim: ResourceClaim): ResourceClaim {
	const next = deepCopy(claim);
	next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((name) => name !== claimFinalizer);
	return next;
}
