/** Lookups of resource claims and devices for the filter of dynamic resources. */
import type { DeviceClass, ResourceResourceClaim, ResourceSlice } from "../../kinds/generated/types.ts";

export interface Devices {
	/** Also with allocations that are decided but not written yet. */
	claim(namespace: string, name: string): ResourceResourceClaim | undefined;
	/** Whether its allocation is decided but not written yet. */
	isBeingAllocated(claim: ResourceResourceClaim): boolean;
	deviceClass(name: string): DeviceClass | undefined;
	slices(): readonly ResourceSlice[];
	/** Claims that have devices, or are about to. The same array while nothing changes. */
	allocated(): readonly ResourceResourceClaim[];
}

export const noDevices: Devices = {
	claim: () => undefined,
	isBeingAllocated: () => false,
	deviceClass: () => undefined,
	slices: () => [],
	allocated: () => [],
};
