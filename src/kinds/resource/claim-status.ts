/** Problems of `status` of a claim. */
import type { Cause } from "../../core/errors.ts";
import { conditionsProblems } from "../../core/validation/condition-checks.ts";
import { immutable, ipAddress, requiredText } from "../../core/validation/field-checks.ts";
import {
	forbidden,
	invalidValue,
	notSupported,
	required,
	tooLongValue,
	tooMany,
} from "../../core/validation/field-errors.ts";
import type {
	AllocatedDeviceStatus,
	AllocationResult,
	DeviceAllocationResult,
	DeviceRequestAllocationResult,
	NetworkDeviceData,
	ResourceClaimStatus,
	ResourceResourceClaim,
} from "../generated/types.ts";
import { validateNodeSelector } from "../pod/spec/scheduling.ts";
import { bindingProblems } from "./binding-conditions.ts";
import {
	dataProblems,
	opaqueProblems,
	type RequestNames,
	requestNames,
	requestReference,
	requestReferences,
} from "./device-claim.ts";
import { limits } from "./limits.ts";
import { distinct, each } from "./lists.ts";
import { driverName, labelName, poolName, shareId } from "./names.ts";
import { tolerationProblems } from "./tolerations.ts";

export function statusProblems(claim: ResourceResourceClaim, old: ResourceResourceClaim): Cause[] {
	const { allocation, reservedFor = [], devices } = claim.status ?? {};
	const names = requestNames(claim.spec.devices ?? {});
	const allocated = new Set(allocation?.devices?.results?.map(identityOf) ?? []);
	return [
		...distinct(reservedFor, limits.consumers, "status.reservedFor", consumerProblems, ({ uid }) => uid),
		...distinct(
			devices,
			Number.POSITIVE_INFINITY,
			"status.devices",
			(device, at) => deviceProblems(device, at, allocated),
			({ driver, pool, device, shareID }) => ({ driver, pool, device, shareID }),
		),
		...reservationProblems(claim, old),
		...(old.status?.allocation !== undefined && allocation !== undefined
			? immutable(allocation, old.status.allocation, "status.allocation")
			: allocation === undefined
				? []
				: allocationProblems(allocation, "status.allocation", names)),
	];
}

type Consumer = NonNullable<ResourceClaimStatus["reservedFor"]>[number];

function consumerProblems({ resource, name, uid }: Consumer, path: string): Cause[] {
	return [
		...requiredText(resource, `${path}.resource`),
		...requiredText(name, `${path}.name`),
		...requiredText(uid, `${path}.uid`),
	];
}

function reservationProblems({ metadata, status }: ResourceResourceClaim, old: ResourceResourceClaim): Cause[] {
	const consumers = status?.reservedFor ?? [];
	if (consumers.length === 0) return [];
	if (status?.allocation === undefined)
		return [forbidden("status.reservedFor", "may not be specified when `allocated` is not set")];
	const before = new Set(old.status?.reservedFor?.map(({ uid }) => uid) ?? []);
	if (metadata.deletionTimestamp === undefined || consumers.every(({ uid }) => before.has(uid))) return [];
	const until = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
	return [forbidden("status.reservedFor", until)];
}

function allocationProblems(allocation: AllocationResult, path: string, names: RequestNames): Cause[] {
	const { devices = {}, nodeSelector } = allocation;
	return [
		...each(devices.results, limits.allocatedDevices, `${path}.devices.results`, (result, at) =>
			resultProblems(result, at, names),
		),
		// Of the class and of the claim.
		...each(devices.config, 2 * limits.configurations, `${path}.devices.config`, (config, at) =>
			configurationProblems(config, at, names),
		),
		...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, `${path}.nodeSelector`)),
	];
}

function resultProblems(result: DeviceRequestAllocationResult, path: string, names: RequestNames): Cause[] {
	return [
		...requestReference(result.request ?? "", `${path}.request`, names),
		...driverName(result.driver, `${path}.driver`),
		...poolName(result.pool, `${path}.pool`),
		...labelName(result.device, `${path}.device`),
		...bindingProblems(result, path),
		...tolerationProblems(result.tolerations, `${path}.tolerations`),
		...shareId(result.shareID, `${path}.shareID`),
	];
}

type Configuration = NonNullable<DeviceAllocationResult["config"]>[number];
const sources = ["FromClaim", "FromClass"];

function configurationProblems(
	{ source, requests, opaque }: Configuration,
	path: string,
	names: RequestNames,
): Cause[] {
	const causes = requestReferences(requests, `${path}.requests`, names);
	if (!source) causes.push(required(`${path}.source`));
	else if (!sources.includes(source)) causes.push(notSupported(`${path}.source`, source, sources));
	return [...causes, ...opaqueProblems(opaque, path)];
}

/** `driver/pool/device`, and after another slash the share. */
export function identityOf(device: Pick<AllocatedDeviceStatus, "driver" | "pool" | "device" | "shareID">): string {
	const { driver, pool, device: name, shareID } = device;
	return `${driver}/${pool}/${name}${shareID === undefined ? "" : `/${shareID}`}`;
}

function deviceProblems(device: AllocatedDeviceStatus, path: string, allocated: ReadonlySet<string>): Cause[] {
	const { conditions = [], data, networkData } = device;
	const causes = [
		...driverName(device.driver, `${path}.driver`),
		...poolName(device.pool, `${path}.pool`),
		...labelName(device.device, `${path}.device`),
		...shareId(device.shareID, `${path}.shareID`),
	];
	if (!allocated.has(identityOf(device)))
		causes.push(invalidValue(path, identityOf(device), "must be an allocated device in the claim"));
	if (conditions.length > limits.deviceConditions)
		causes.push(tooMany(`${path}.conditions`, conditions.length, limits.deviceConditions));
	causes.push(...conditionsProblems(conditions, `${path}.conditions`));
	if (data !== undefined && data !== null) causes.push(...dataProblems(data, `${path}.data`));
	return networkData === undefined ? causes : [...causes, ...networkProblems(networkData, `${path}.networkData`)];
}

function networkProblems({ interfaceName = "", hardwareAddress = "", ips }: NetworkDeviceData, path: string): Cause[] {
	const causes: Cause[] = [];
	if (Buffer.byteLength(interfaceName) > limits.interfaceNameLength)
		causes.push(tooLongValue(`${path}.interfaceName`, limits.interfaceNameLength));
	if (Buffer.byteLength(hardwareAddress) > limits.hardwareAddressLength)
		causes.push(tooLongValue(`${path}.hardwareAddress`, limits.hardwareAddressLength));
	return [...causes, ...distinct(ips, limits.addresses, `${path}.ips`, interfaceAddress, (address) => address)];
}

/** An address with the length of its network, such as `192.0.2.5/24`. */
function interfaceAddress(text: string, path: string): Cause[] {
	const [, address = "", bits = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
	const longest = address.includes(":") ? 128 : 32;
	if (address !== "" && ipAddress(address, path).length === 0 && Number(bits) <= longest) return [];
	return [invalidValue(path, text, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")];
}
