/** Problems of a device in a slice. */
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { subdomainName } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue, required, tooLongValue } from "../../core/validation/field-errors.ts";
import type { Device, DeviceAttribute, DeviceCapacity, DeviceCounterConsumption } from "../generated/types.ts";
import { validateNodeSelector } from "../pod/spec/scheduling.ts";
import { bindingProblems } from "./binding-conditions.ts";
import { policyProblems } from "./capacity-policy.ts";
import { limits } from "./limits.ts";
import { distinct, each, entries } from "./lists.ts";
import { labelName, qualifiedName } from "./names.ts";
import { taintProblems } from "./tolerations.ts";

/**
 * @param old the device of the same name before an update: what it had already is fine
 * @param ownNodes whether each device of the slice says on which nodes it is (`perDeviceNodeSelection`)
 */
export function deviceProblems(device: Device, old: Device | undefined, path: string, ownNodes: boolean): Cause[] {
	const { name, attributes = {}, capacity = {}, taints, consumesCounters, allowMultipleAllocations } = device;
	const causes = labelName(name, `${path}.name`);
	const count = Object.keys(attributes).length + Object.keys(capacity).length;
	if (count > limits.attributesPerDevice) {
		const most = `the total number of attributes and capacities must not exceed ${limits.attributesPerDevice}`;
		causes.push(invalidValue(path, count, most));
	}
	causes.push(...entries(attributes, undefined, `${path}.attributes`, qualifiedName, attributeProblems));
	if (!semanticEqual(old?.capacity ?? {}, capacity))
		causes.push(
			...entries(capacity, undefined, `${path}.capacity`, qualifiedName, (value, at) =>
				capacityProblems(value, at, allowMultipleAllocations === true),
			),
		);
	if (!semanticEqual(old?.taints ?? [], taints ?? []))
		causes.push(...each(taints, limits.taints, `${path}.taints`, taintProblems));
	return [
		...causes,
		...distinct(
			consumesCounters,
			limits.consumptionsPerDevice,
			`${path}.consumesCounters`,
			consumptionProblems,
			({ counterSet }) => counterSet,
		),
		...nodeProblems(device, path, ownNodes),
		...bindingProblems(device, path),
	];
}

// semver.org 2.0.0.
const version =
	/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function attributeProblems(attribute: DeviceAttribute, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const key of ["string", "version"] as const) {
		const value = attribute[key];
		if (value === undefined) continue;
		const isLong = Buffer.byteLength(value) > limits.valueLength;
		// Of a long text the pattern would take long.
		if (key === "version" && (isLong || !version.test(value))) {
			const rule = "must be a string compatible with semver.org spec 2.0.0";
			causes.push(invalidValue(`${path}.version`, value, rule));
		}
		if (isLong) causes.push(tooLongValue(`${path}.${key}`, limits.valueLength));
	}
	const { bool, int, string, version: number } = attribute;
	const count = [bool, int, string, number].filter((value) => value !== undefined).length;
	if (count !== 1) causes.push(invalidValue(path, count === 0 ? "" : attribute, "exactly one value must be specified"));
	return causes;
}

function capacityProblems({ value, requestPolicy }: DeviceCapacity, path: string, isShared: boolean): Cause[] {
	if (requestPolicy === undefined) return [];
	if (isShared) return policyProblems(value, requestPolicy, `${path}.requestPolicy`);
	return [forbidden(`${path}.requestPolicy`, "allowMultipleAllocations must be true")];
}

function consumptionProblems({ counterSet, counters = {} }: DeviceCounterConsumption, path: string): Cause[] {
	const causes = counterSet ? labelName(counterSet, `${path}.counterSet`) : [required(`${path}.counterSet`)];
	if (Object.keys(counters).length === 0) return [...causes, required(`${path}.counters`)];
	return [...causes, ...entries(counters, limits.counters, `${path}.counters`, labelName)];
}

function nodeProblems({ nodeName, nodeSelector, allNodes }: Device, path: string, ownNodes: boolean): Cause[] {
	if (!ownNodes) {
		if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
		const only =
			"`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
		return [invalidValue(path, null, only)];
	}
	const causes: Cause[] = [];
	if (nodeName === "") causes.push(invalidValue(`${path}.nodeName`, nodeName, "must not be empty"));
	else if (nodeName !== undefined) causes.push(...subdomainName(nodeName, `${path}.nodeName`));
	if (nodeSelector !== undefined) causes.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`));
	if (allNodes === false) causes.push(invalidValue(`${path}.allNodes`, false, "must be either unset or set to true"));
	const set = named({ nodeName: nodeName || undefined, nodeSelector, allNodes: allNodes || undefined });
	if (set.length === 1) return causes;
	const one =
		"exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
	return [...causes, set.length === 0 ? required(path, one) : invalidValue(path, `{${set.join(", ")}}`, one)];
}

/** Names of the fields that have a value, as messages list them. */
export function named(fields: Readonly<Record<string, unknown>>): string[] {
	return Object.keys(fields).flatMap((name) => (fields[name] === undefined ? [] : [`\`${name}\``]));
}
