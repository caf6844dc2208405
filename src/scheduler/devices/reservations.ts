/** Gives a pod the devices of its claims: allocates and reserves the claims before the pod is bound. */
import type { Client } from "../../client/client.ts";
import { isReason } from "../../core/errors.ts";
import { deepCopy } from "../../core/object.ts";
import { type Clock, timestamp } from "../../core/time/clock.ts";
import { newUid } from "../../core/validation/uid.ts";
import type { AllocationResult, Node, Pod, ResourceResourceClaim } from "../../kinds/generated/types.ts";
import { compileNodeSelector } from "../../kinds/pod/node-selector.ts";
import { claimFinalizer, isReservedFor } from "../../kinds/resource/pod-claims.ts";
import { resourceClaims } from "../../kinds/resource/resourceclaim.ts";
import type { NodeInfo } from "../model/node-info.ts";
import type { PodInfo } from "../model/pod-info.ts";
import { allocate } from "./allocate.ts";
import { DeviceWaits, readinessOf } from "./device-waits.ts";
import type { KnownDevices } from "./known-devices.ts";
import { claimsOf } from "./pod-claims.ts";

/** What is to be written for a pod that is being bound. */
interface Reservation {
	readonly claim: ResourceResourceClaim;
	/** Undefined: it has one. */
	readonly allocation: AllocationResult | undefined;
}

/** How often a claim that other clients change is read again. */
const mostTries = 5;

export class Reservations {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #devices: KnownDevices;
	readonly #waits: DeviceWaits;

	constructor(client: Client, clock: Clock, devices: KnownDevices) {
		this.#waits = new DeviceWaits(clock);
		this.#client = client;
		this.#clock = clock;
		this.#devices = devices;
	}

	/** Starts to report changes of claims and devices, beginning with all existing objects; until `close`. */
	follow(changed: () => void): void {
		this.#devices.follow(() => {
			changed();
			this.#waits.changed();
		});
	}

	/**
	 * Takes devices on the node, at once: no later pod gets them.
	 * @throws Error when there are none any more
	 */
	take({ pod }: PodInfo, node: Node | undefined): readonly Reservation[] {
		if (pod.spec.resourceClaims === undefined || node === undefined) return [];
		const found = claimsOf(pod, this.#devices);
		if ("problem" in found) throw new Error(found.problem);
		const unallocated = found.claims.filter(({ status }) => status?.allocation === undefined);
		const results = allocate(unallocated, node, this.#devices, () => newUid(this.#clock));
		if (results === undefined) throw new Error("cannot allocate all claims");
		const allocationTimestamp = timestamp(this.#clock.now());
		return found.claims.map((claim) => {
			const result = results[unallocated.indexOf(claim)];
			const allocation = result && { ...result, allocationTimestamp };
			if (allocation !== undefined) this.#devices.assume(claim, allocation);
			return { claim, allocation };
		});
	}

	/**
	 * @param aside lets other pods continue while the devices are made ready, which may take long
	 * @throws ApiError, Error when a claim cannot be written, or its devices not be made ready
	 */
	async write(
		pod: PodInfo,
		reservations: readonly Reservation[],
		aside: (ready: Promise<void>) => Promise<void>,
	): Promise<void> {
		for (const { claim, allocation } of reservations) await this.#writeOne(pod, claim, allocation);
		if (mustWait(reservations)) await aside(this.#ready(pod, reservations));
	}

	/** @throws Error when the devices cannot be made ready */
	#ready(pod: PodInfo, reservations: readonly Reservation[]): Promise<void> {
		return this.#waits.wait(pod, () =>
			reservations.map(({ claim, allocation }) => {
				const current = this.#devices.claim(pod.namespace, claim.metadata.name);
				// The informer cache may not show the allocation yet, which is not ready then.
				return current?.status?.allocation === undefined && allocation !== undefined
					? { ...claim, status: { ...claim.status, allocation } }
					: current;
			}),
		);
	}

	/** The pod is gone, or is not to be bound. @returns whether it waited for devices */
	cancel(key: string): boolean {
		return this.#waits.cancel(key);
	}

	close(): void {
		this.#devices.unfollow();
		this.#waits.close();
	}

	async #writeOne({ pod }: PodInfo, known: ResourceResourceClaim, allocation: AllocationResult | undefined) {
		const { namespace, name, uid } = known.metadata;
		let claim = known;
		for (let attempt = 1; ; attempt++) {
			if (isReservedFor(claim, pod)) return;
			if (claim.metadata.uid !== uid || claim.metadata.deletionTimestamp !== undefined)
				throw new Error(`claim ${namespace}/${name} got deleted in the meantime`);
			if ((claim.status?.allocation === undefined) === (allocation === undefined))
				throw new Error(
					`claim ${namespace}/${name} got ${allocation === undefined ? "de" : ""}allocated in the meantime`,
				);
			try {
				if (allocation !== undefined) claim = await this.#protect(claim);
				const next = deepCopy(claim);
				next.status = {
					...next.status,
					...(allocation === undefined ? {} : { allocation }),
					reservedFor: [
						...(next.status?.reservedFor ?? []),
						{ resource: "pods", name: pod.metadata.name, uid: pod.metadata.uid },
					],
				};
				await this.#client.updateStatus(resourceClaims, next);
				return;
			} catch (error) {
				// To the caller, NotFound would mean the pod.
				if (isReason(error, "NotFound")) throw new Error(`claim ${namespace}/${name} not found`);
				if (!isReason(error, "Conflict") || attempt === mostTries) throw error;
				claim = await this.#client.get(resourceClaims, { namespace, name });
			}
		}
	}

	/** Devices are given back before an allocated claim is gone. */
	async #protect(claim: ResourceResourceClaim): Promise<ResourceResourceClaim> {
		const { finalizers = [] } = claim.metadata;
		if (finalizers.includes(claimFinalizer)) return claim;
		const next = deepCopy(claim);
		next.metadata.finalizers = [...finalizers, claimFinalizer];
		return await this.#client.update(resourceClaims, next);
	}

	/** The pod was not bound: takes its reservations back, best effort. The devices stay allocated. */
	async undo({ pod }: PodInfo, reservations: readonly Reservation[]): Promise<void> {
		for (const { claim } of reservations) {
			this.#devices.forget(claim);
			const { namespace, name, uid } = claim.metadata;
			const patch = {
				metadata: { uid },
				status: { reservedFor: [{ $patch: "delete", uid: pod.metadata.uid }] },
			};
			const current = this.#devices.claim(namespace ?? "", name);
			if (current !== undefined && !isReservedFor(current, pod)) continue;
			if (current !== undefined && readinessOf(current).state !== "ready") {
				// Other devices may be.
				await this.#release(current);
				continue;
			}
			await this.#client
				.patch(resourceClaims, { namespace, name }, { type: "strategic", patch }, "status")
				.catch(() => undefined);
		}
	}

	/**
	 * No node suits the pod: begins to give the devices back of a claim that is elsewhere and that nobody uses.
	 * @returns upstream's text for the pod's condition, up to the next one; empty for pods without claims
	 */
	relieve({ pod }: PodInfo, nodes: readonly NodeInfo[]): string {
		if (pod.spec.resourceClaims === undefined) return "";
		const found = claimsOf(pod, this.#devices);
		if ("problem" in found || found.claims.length === 0) return "no new claims to deallocate, ";
		const idle = found.claims.find((claim) => isIdle(claim, pod, nodes));
		if (idle === undefined) return "still not schedulable, ";
		void this.#release(idle);
		return "deallocation of ResourceClaim completed, ";
	}

	/** Never rejects: the next attempt finds the claim again, should this fail. */
	async #release(claim: ResourceResourceClaim): Promise<void> {
		const next = deepCopy(claim);
		const { allocation: _, reservedFor: __, ...status } = next.status ?? {};
		next.status = status;
		await this.#client.updateStatus(resourceClaims, next).catch(() => undefined);
	}
}

/** Whether some devices have to be made ready before the pod is bound. */
function mustWait(reservations: readonly Reservation[]): boolean {
	return reservations.some(({ claim, allocation = claim.status?.allocation }) =>
		allocation?.devices?.results?.some(({ bindingConditions = [] }) => bindingConditions.length > 0),
	);
}

/** Whether a claim is allocated where the pod cannot be, and for no other pod. */
function isIdle({ status }: ResourceResourceClaim, pod: Pod, nodes: readonly NodeInfo[]): boolean {
	const { allocation, reservedFor = [] } = status ?? {};
	if (allocation?.nodeSelector === undefined || reservedFor.some(({ uid }) => uid !== pod.metadata.uid)) return false;
	const reaches = compileNodeSelector(allocation.nodeSelector);
	return nodes.some(({ node }) => node !== undefined && !reaches(node));
}
