import type { Cause } from "../../core/errors.ts";
import { immutable, subdomainName } from "../../core/validation/field-checks.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CounterSet, ResourcePool, ResourceSlice, ResourceSliceSpec } from "../generated/types.ts";
import { validateNodeSelector } from "../pod/spec/scheduling.ts";
import { deviceProblems, named } from "./device.ts";
import { limits } from "./limits.ts";
import { distinct, entries } from "./lists.ts";
import { driverName, labelName, poolName } from "./names.ts";

/** Some of the devices of a pool, published by a driver. */
export const resourceSlices: Kind<ResourceSlice> = {
	group: "resource.k8s.io",
	version: "v1",
	kind: "ResourceSlice",
	plural: "resourceslices",
	singular: "resourceslice",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "ResourceSlice",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [
		{ path: "spec.driver", value: ({ spec }) => spec.driver ?? "" },
		{ path: "spec.nodeName", value: ({ spec }) => spec.nodeName ?? "" },
	],
	columns: [
		nameColumn,
		column("Node", "Node whose devices they are.", ({ spec }) => spec.nodeName ?? ""),
		column("Driver", "Driver of the devices.", ({ spec }) => spec.driver),
		column("Pool", "Pool of the devices.", ({ spec }) => spec.pool?.name ?? ""),
		ageColumn,
	],

	prepareForCreate({ spec }, { now }) {
		stampTaints(spec, now);
	},
	prepareForUpdate({ spec }, _old, { now }) {
		stampTaints(spec, now);
	},
	validate: ({ spec }, old) => sliceProblems(spec, old?.spec, "spec"),
	validateUpdate: ({ spec }, { spec: old }) => [
		...immutable(spec.pool?.name, old.pool?.name, "spec.pool.name"),
		...immutable(spec.driver, old.driver, "spec.driver"),
		...immutable(spec.nodeName, old.nodeName, "spec.nodeName"),
	],
};

function stampTaints({ devices = [] }: ResourceSliceSpec, now: string): void {
	for (const { taints = [] } of devices) for (const taint of taints) taint.timeAdded ??= now;
}

function sliceProblems(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined, path: string): Cause[] {
	const { driver, pool, devices, sharedCounters, perDeviceNodeSelection } = spec;
	const causes = [
		...driverName(driver, `${path}.driver`),
		...poolProblems(pool ?? {}, `${path}.pool`),
		...nodeProblems(spec, path),
	];
	if (sharedCounters !== undefined && devices !== undefined)
		causes.push(invalidValue(path, "", "only one of `sharedCounters` or `devices` is allowed"));
	const hasExtras = devices?.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length);
	const before = new Map(old?.devices?.map((device) => [device.name, device]));
	return [
		...causes,
		...distinct(
			devices,
			hasExtras ? limits.devicesWithExtras : limits.devices,
			`${path}.devices`,
			(device, at) => deviceProblems(device, before.get(device.name), at, perDeviceNodeSelection === true),
			({ name }) => name,
		),
		...distinct(sharedCounters, limits.counterSets, `${path}.sharedCounters`, counterSetProblems, ({ name }) => name),
	];
}

function poolProblems({ name, generation = 0, resourceSliceCount = 0 }: Partial<ResourcePool>, path: string): Cause[] {
	const causes = poolName(name, `${path}.name`);
	if (resourceSliceCount <= 0)
		causes.push(invalidValue(`${path}.resourceSliceCount`, resourceSliceCount, "must be greater than zero"));
	if (generation < 0)
		causes.push(invalidValue(`${path}.generation`, generation, "must be greater than or equal to zero"));
	return causes;
}

function nodeProblems(spec: ResourceSliceSpec, path: string): Cause[] {
	const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
	const causes: Cause[] = [];
	if (nodeName === "")
		causes.push(invalidValue(`${path}.nodeName`, nodeName, "must be either unset or set to a non-empty string"));
	else if (nodeName !== undefined) causes.push(...subdomainName(nodeName, `${path}.nodeName`));
	if (nodeSelector !== undefined) {
		causes.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`));
		// Those of several slices are merged into one of an allocation.
		const terms = nodeSelector.nodeSelectorTerms ?? [];
		const one = "must have exactly one node selector term";
		if (terms.length !== 1) causes.push(invalidValue(`${path}.nodeSelector.nodeSelectorTerms`, terms, one));
	}
	for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection }))
		if (value === false) causes.push(invalidValue(`${path}.${field}`, false, "must be either unset or set to true"));
	const set = named({
		nodeName: nodeName || undefined,
		nodeSelector,
		allNodes: allNodes || undefined,
		perDeviceNodeSelection: perDeviceNodeSelection || undefined,
	});
	const one = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
	if (set.length === 0) causes.push(required(path, one));
	if (set.length > 1) causes.push(invalidValue(path, `{${set.join(", ")}}`, `${one}, but multiple fields are set`));
	return causes;
}

function counterSetProblems({ name, counters = {} }: CounterSet, path: string): Cause[] {
	const causes = name ? labelName(name, `${path}.name`) : [required(`${path}.name`)];
	if (Object.keys(counters).length === 0) return [...causes, required(`${path}.counters`)];
	return [...causes, ...entries(counters, limits.counters, `${path}.counters`, labelName)];
}
