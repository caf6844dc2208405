/**
 * Deletes pods that use devices with NoExecute taints which their claims do not tolerate, or not any longer (KEP-5055).
 */
import { sameJson } from "../../core/equal.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type {
	DeviceRequestAllocationResult,
	DeviceTaint,
	Pod,
	ResourceResourceClaim as ResourceClaim,
	ResourceSlice,
} from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { resourceClaims } from "../../kinds/resource/resourceclaim.ts";
import { resourceSlices } from "../../kinds/resource/resourceslice.ts";
import { tolerates } from "../../kinds/resource/tolerations.ts";
import { disruptionTarget } from "../podcontrol/disruption.ts";
import { event, remove } from "../runtime/actions.ts";
import { type Controller, type InformerCache, type Plan, type PlanContext, watchRule } from "../runtime/controller.ts";

export interface DeviceTaintState {
	/** Those that use the devices of the claim. */
	pods: readonly Pod[];
	/** NoExecute taints of each device that has some. */
	tainted: readonly { device: DeviceRequestAllocationResult; taints: readonly DeviceTaint[] }[];
}

const claimsOfDevice = "claims-of-device";
const slicesOfPool = "slices-of-pool";

export const deviceTaintEvictionController: Controller<DeviceTaintState> = {
	name: "device-taint-eviction",
	component: "device-taint-eviction",
	account: "device-taint-eviction-controller",
	watches: [
		watchRule(resourceClaims, (current) => (current === undefined ? [] : [objectKey(current)]), {
			indexes: { [claimsOfDevice]: (claim) => resultsOf(claim).map(idOf) },
			expectations: false,
		}),
		watchRule(
			resourceSlices,
			function* (current, old, informers) {
				for (const id of new Set([...changedDevices(current, old)]))
					for (const claim of informers.of(resourceClaims).byIndex(claimsOfDevice, id)) yield objectKey(claim);
			},
			{ indexes: { [slicesOfPool]: ({ spec }) => [`${spec.driver}/${spec.pool.name}`] }, expectations: false },
		),
		watchRule(pods, () => []),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const claim = informers.of(resourceClaims).get(namespace, name);
		if (claim === undefined) return undefined;
		const tainted = resultsOf(claim).flatMap((device) => {
			const taints = taintsOf(device, informers);
			return taints.length === 0 ? [] : [{ device, taints }];
		});
		if (tainted.length === 0) return undefined;
		const users = (claim.status?.reservedFor ?? []).flatMap(({ resource, name: podName, uid }) => {
			const pod = resource === "pods" ? informers.of(pods).get(namespace, podName) : undefined;
			return pod?.metadata.uid === uid && pod.metadata.deletionTimestamp === undefined ? [pod] : [];
		});
		return { pods: users, tainted };
	},
	plan,
};

function resultsOf({ status }: ResourceClaim): readonly DeviceRequestAllocationResult[] {
	return status?.allocation?.devices?.results ?? [];
}

function idOf({ driver, pool, device }: Pick<DeviceRequestAllocationResult, "driver" | "pool" | "device">): string {
	return `${driver}/${pool}/${device}`;
}

function* changedDevices(current: ResourceSlice | undefined, old: ResourceSlice | undefined): Iterable<string> {
	const [now, before] = [taintsIn(current), taintsIn(old)];
	for (const id of new Set([...now.keys(), ...before.keys()])) if (!sameJson(now.get(id), before.get(id))) yield id;
}

/** NoExecute taints by the devices that have some. */
function taintsIn(slice: ResourceSlice | undefined): Map<string, DeviceTaint[]> {
	const found = new Map<string, DeviceTaint[]>();
	if (slice === undefined) return found;
	const { driver, pool, devices = [] } = slice.spec;
	for (const { name, taints = [] } of devices) {
		const acting = taints.filter(({ effect }) => effect === "NoExecute");
		if (acting.length > 0) found.set(idOf({ driver, pool: pool.name, device: name }), acting);
	}
	return found;
}

/** As the newest generation of the pool has them. */
function taintsOf(device: DeviceRequestAllocationResult, informers: InformerCache): readonly DeviceTaint[] {
	const slices = [...informers.of(resourceSlices).byIndex(slicesOfPool, `${device.driver}/${device.pool}`)];
	const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
	return slices
		.filter(({ spec }) => spec.pool.generation === newest)
		.flatMap((slice) => taintsIn(slice).get(idOf(device)) ?? []);
}

function plan({ pods: users, tainted }: DeviceTaintState, { nowMs }: PlanContext): Plan {
	const dueMs = Math.min(...tainted.map(({ device, taints }) => evictionMs(device, taints, nowMs)));
	if (users.length === 0 || dueMs === Number.POSITIVE_INFINITY) return { actions: [] };
	if (dueMs > nowMs) return { actions: [], requeueAtMs: dueMs };
	const why = "Device Taint manager: deleting due to NoExecute taint";
	return {
		actions: users.flatMap((pod) => [
			event(pod, "Normal", "DeviceTaintManagerEviction", "Marking for deletion"),
			...disruptionTarget(pod, "DeletionByDeviceTaintManager", why, timestamp(nowMs)),
			remove(pods, pod),
		]),
	};
}

/** Epoch milliseconds; Infinity if all taints are tolerated indefinitely. */
function evictionMs(
	{ tolerations = [] }: DeviceRequestAllocationResult,
	taints: readonly DeviceTaint[],
	nowMs: number,
): number {
	let dueMs = Number.POSITIVE_INFINITY;
	for (const taint of taints) {
		const tolerating = tolerations.filter((toleration) => tolerates([toleration], taint));
		if (tolerating.length === 0) return nowMs;
		const sinceMs = taint.timeAdded === undefined ? nowMs : parseTimestamp(taint.timeAdded);
		for (const { tolerationSeconds } of tolerating)
			if (tolerationSeconds !== undefined) dueMs = Math.min(dueMs, sinceMs + Math.max(tolerationSeconds, 0) * 1000);
	}
	return dueMs;
}
