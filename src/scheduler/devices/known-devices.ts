/** Resource claims and devices from the informer cache, with the allocations that are being written. */
import type { InformerCache } from "../../client/informer-cache.ts";
import type { AllocationResult, ResourceResourceClaim, ResourceSlice } from "../../kinds/generated/types.ts";
import { deviceClasses } from "../../kinds/resource/deviceclass.ts";
import { resourceClaims } from "../../kinds/resource/resourceclaim.ts";
import { resourceSlices } from "../../kinds/resource/resourceslice.ts";
import type { Devices } from "../model/devices.ts";

const allocatedIndex = "scheduler-allocated-claims";

export class KnownDevices implements Devices {
	readonly #claims;
	readonly #classes;
	readonly #slices;
	/** By the claim's uid; until the informer cache shows them. */
	readonly #assumed = new Map<string, ResourceResourceClaim>();
	#allocated: readonly ResourceResourceClaim[] | undefined;
	#sliceList: readonly ResourceSlice[] | undefined;
	#unfollows: (() => void)[] = [];

	constructor(informers: InformerCache) {
		this.#claims = informers.of(resourceClaims);
		this.#classes = informers.of(deviceClasses);
		this.#slices = informers.of(resourceSlices);
		this.#claims.addIndex(allocatedIndex, ({ status }) => (status?.allocation === undefined ? [] : [""]));
	}

	/** Starts to report changes, beginning with all existing objects. */
	follow(changed: () => void): void {
		this.#unfollows = [
			this.#claims.onChange((current, old) => {
				const { uid } = (current ?? old)?.metadata ?? { uid: "" };
				if (current === undefined || current.status?.allocation !== undefined) this.#assumed.delete(uid);
				this.#allocated = undefined;
				changed();
			}),
			this.#slices.onChange(() => {
				this.#sliceList = undefined;
				changed();
			}),
			this.#classes.onChange(changed),
		];
	}

	unfollow(): void {
		for (const unfollow of this.#unfollows) unfollow();
	}

	claim(namespace: string, name: string): ResourceResourceClaim | undefined {
		return this.#claims.get(namespace, name);
	}

	isBeingAllocated({ metadata }: ResourceResourceClaim): boolean {
		return this.#assumed.has(metadata.uid);
	}

	deviceClass(name: string) {
		return this.#classes.get(undefined, name);
	}

	slices(): readonly ResourceSlice[] {
		this.#sliceList ??= [...this.#slices.list()];
		return this.#sliceList;
	}

	allocated(): readonly ResourceResourceClaim[] {
		this.#allocated ??= [...this.#claims.byIndex(allocatedIndex, ""), ...this.#assumed.values()];
		return this.#allocated;
	}

	/** The devices are taken from now on. */
	assume(claim: ResourceResourceClaim, allocation: AllocationResult): void {
		this.#assumed.set(claim.metadata.uid, { ...claim, status: { ...claim.status, allocation } });
		this.#allocated = undefined;
	}

	/** The allocation was not written, or may not have been: what the informer cache shows counts. */
	forget({ metadata }: ResourceResourceClaim): void {
		if (this.#assumed.delete(metadata.uid)) this.#allocated = undefined;
	}
}
