/** What claims ask for, resolved with their classes and the devices that a node can use. */

import { compareQuantities } from "../../core/quantity.ts";
import type {
	DeviceClass,
	DeviceSubRequest,
	DeviceTaint,
	ExactDeviceRequest,
	ResourceResourceClaim,
} from "../../kinds/generated/types.ts";
import { consumedAmount } from "../../kinds/resource/capacity-policy.ts";
import { compileDeviceExpression, deviceVariable, selects } from "../../kinds/resource/device-expression.ts";
import { tolerates } from "../../kinds/resource/tolerations.ts";
import type { Devices } from "../model/devices.ts";
import { AllocationError, type Effort } from "./effort.ts";
import type { Pool, PooledDevice } from "./pools.ts";

/** A request, or one of its alternatives. */
export interface Wish {
	/** `request` or `request/alternative`. */
	readonly name: string;
	readonly wanted: ExactDeviceRequest | DeviceSubRequest;
	readonly deviceClass: DeviceClass;
	readonly isAdmin: boolean;
	/** How many devices; all of `all` when that is known. */
	readonly count: number;
	/** The devices of a request for all. */
	readonly all: readonly PooledDevice[] | undefined;
	/** Whether class and request select a device, and it is large enough. @throws AllocationError */
	matches(device: PooledDevice): boolean;
}

/**
 * The alternatives of each request of a claim, the best first.
 * @param available pools with the devices of the node
 * @throws AllocationError
 */
export function wishesOf(
	claim: ResourceResourceClaim,
	devices: Devices,
	pools: readonly Pool[],
	available: readonly PooledDevice[],
	effort: Effort,
): Wish[][] {
	const key = `${claim.metadata.namespace}/${claim.metadata.name}`;
	return (claim.spec.devices?.requests ?? []).map(({ name, exactly, firstAvailable = [] }) =>
		exactly === undefined
			? firstAvailable.map((alternative) => wish(key, `${name}/${alternative.name}`, alternative))
			: [wish(key, name, exactly)],
	);

	function wish(claimKey: string, name: string, wanted: ExactDeviceRequest | DeviceSubRequest): Wish {
		const { deviceClassName, allocationMode, count = 1 } = wanted;
		const deviceClass = devices.deviceClass(deviceClassName);
		if (deviceClass === undefined)
			throw new AllocationError(`request ${name}: device class ${deviceClassName} does not exist`);
		const matches = matcher(claimKey, deviceClass, wanted, effort);
		const isAdmin = "adminAccess" in wanted && wanted.adminAccess === true;
		if (allocationMode !== "All") return { name, wanted, deviceClass, isAdmin, count, all: undefined, matches };
		const unusable = pools.find(({ isIncomplete, problem }) => isIncomplete || problem !== undefined);
		if (unusable !== undefined) {
			const state = unusable.isIncomplete ? "being updated" : "invalid";
			throw new AllocationError(
				`claim ${claimKey}, request ${name}: asks for all devices, but resource pool ${unusable.id} is currently ${state}`,
			);
		}
		const all = available.filter(matches);
		return { name, wanted, deviceClass, isAdmin, count: all.length, all, matches };
	}
}

const variables = new WeakMap<PooledDevice, Readonly<Record<string, unknown>>>();

function variableOf(device: PooledDevice): Readonly<Record<string, unknown>> {
	let variable = variables.get(device);
	if (variable === undefined) {
		variable = deviceVariable(device.device, device.driver);
		variables.set(device, variable);
	}
	return variable;
}

function matcher(
	claimKey: string,
	deviceClass: DeviceClass,
	wanted: ExactDeviceRequest | DeviceSubRequest,
	effort: Effort,
): (device: PooledDevice) => boolean {
	const selectors = [
		...selectorsOf(deviceClass.spec.selectors, `class ${deviceClass.metadata.name}`, effort),
		...selectorsOf(wanted.selectors, `claim ${claimKey}`, effort),
	];
	const found = new Map<PooledDevice, boolean>();
	return (device) => {
		let matches = found.get(device);
		if (matches === undefined) {
			matches = selectors.every((selector) => selector(device)) && consumption(device, wanted) !== undefined;
			found.set(device, matches);
		}
		return matches;
	};
}

function selectorsOf(
	selectors: ExactDeviceRequest["selectors"] = [],
	source: string,
	effort: Effort,
): ((device: PooledDevice) => boolean)[] {
	return selectors.map(({ cel }, index) => {
		const compiled = compileDeviceExpression(cel?.expression ?? "");
		// Only of expressions that were stored by another version.
		if ("problem" in compiled)
			throw new AllocationError(`${source}: selector #${index}: CEL compile error: ${compiled.problem}`);
		return (device) => {
			const result = selects(compiled.program, variableOf(device));
			effort.evaluated(result.cost);
			if (result.error !== undefined)
				throw new AllocationError(`${source}: selector #${index}: CEL runtime error: ${result.error}`);
			return result.matches;
		};
	});
}

/**
 * What an allocation consumes of each capacity of a shared device; nothing of others.
 * @returns undefined when the device is too small, or its policy forbids the amount
 */
export function consumption(
	{ device }: PooledDevice,
	{ capacity: wanted }: Pick<ExactDeviceRequest, "capacity">,
): Record<string, string> | undefined {
	const requests = wanted?.requests ?? {};
	const capacities = device.capacity ?? {};
	if (Object.keys(requests).some((name) => capacities[name] === undefined)) return undefined;
	const consumed: Record<string, string> = {};
	for (const [name, { value, requestPolicy }] of Object.entries(capacities)) {
		const amount = consumedAmount(requests[name], value, requestPolicy);
		if (amount === undefined || compareQuantities(amount, value) > 0) return undefined;
		if (device.allowMultipleAllocations) consumed[name] = amount;
	}
	return consumed;
}

/** Taints without a consequence are for people. */
export function isTolerated(taints: readonly DeviceTaint[] | undefined, { tolerations = [] }: Wish["wanted"]): boolean {
	return (taints ?? []).every((taint) => taint.effect === "None" || tolerates(tolerations, taint));
}
