/** Pools of devices, as the slices of drivers describe them. */
import { quantityNano } from "../../core/quantity.ts";
import type { Device, Node, NodeSelector, ResourceSlice, ResourceSliceSpec } from "../../kinds/generated/types.ts";
import { compileNodeSelector, type NodeMatch } from "../../kinds/pod/node-selector.ts";

export interface PooledDevice {
	/** `driver/pool/device`. */
	readonly id: string;
	readonly device: Device;
	readonly driver: string;
	readonly pool: Pool;
	/** Whether a node can use it. */
	readonly isOn: NodeMatch;
	/** One node, some (one term), or all when undefined. */
	readonly nodes: { name: string } | { selector: NodeSelector } | undefined;
}

/** Amounts are quantities times 10^9. */
export type Counters = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

export interface Pool {
	/** `driver/pool`. */
	readonly id: string;
	/** A slice is missing: the driver is writing them. Such a pool has no devices. */
	readonly isIncomplete: boolean;
	/** What is wrong with it, so that it has no devices. */
	readonly problem: string | undefined;
	readonly devices: readonly PooledDevice[];
	/** By counter set. */
	readonly counters: Counters;
}

const known = new WeakMap<readonly ResourceSlice[], readonly Pool[]>();

/** The newest generation of each pool, sorted by name; remembered for an array of slices. */
export function poolsOf(slices: readonly ResourceSlice[]): readonly Pool[] {
	let pools = known.get(slices);
	if (pools === undefined) {
		pools = gather(slices);
		known.set(slices, pools);
	}
	return pools;
}

function gather(slices: readonly ResourceSlice[]): readonly Pool[] {
	const newest = new Map<string, ResourceSlice[]>();
	for (const slice of slices) {
		const id = `${slice.spec.driver}/${slice.spec.pool.name}`;
		const others = newest.get(id);
		const [generation, theirs] = [slice.spec.pool.generation, others?.[0]?.spec.pool.generation];
		if (others === undefined || theirs === undefined || generation > theirs) newest.set(id, [slice]);
		else if (generation === theirs) others.push(slice);
	}
	const pools = [...newest].map(([id, parts]) => poolOf(id, parts));
	const waits = ({ devices }: Pool) => devices.some(({ device }) => (device.bindingConditions ?? []).length > 0);
	// Devices that are ready at once come first.
	return pools.sort((a, b) => Number(waits(a)) - Number(waits(b)) || (a.id < b.id ? -1 : 1));
}

function poolOf(id: string, slices: ResourceSlice[]): Pool {
	const counters = new Map<string, ReadonlyMap<string, bigint>>();
	const devices: PooledDevice[] = [];
	const isIncomplete = slices.length !== slices[0]?.spec.pool.resourceSliceCount;
	const pool: Pool = { id, isIncomplete, problem: undefined, devices, counters };
	if (isIncomplete) return pool;
	const names = new Set<string>();
	for (const { spec } of slices)
		for (const { name, counters: amounts = {} } of spec.sharedCounters ?? []) {
			if (counters.has(name)) return { ...pool, problem: `duplicate counter set name ${name}` };
			counters.set(name, amountsOf(amounts));
		}
	for (const { spec } of slices.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)))
		for (const device of spec.devices ?? []) {
			if (names.has(device.name)) return { ...pool, devices: [], problem: `duplicate device name ${device.name}` };
			names.add(device.name);
			const lacking = unknownCounter(device, counters);
			if (lacking !== undefined) return { ...pool, devices: [], problem: lacking };
			devices.push({
				id: `${id}/${device.name}`,
				device,
				driver: spec.driver,
				pool,
				...nodesOf(spec.perDeviceNodeSelection ? device : spec),
			});
		}
	return pool;
}

export function amountsOf(counters: Readonly<Record<string, { value: string }>>): Map<string, bigint> {
	return new Map(Object.entries(counters).map(([name, { value }]) => [name, quantityNano(value)]));
}

function unknownCounter({ name, consumesCounters = [] }: Device, counters: Counters): string | undefined {
	for (const { counterSet, counters: consumed } of consumesCounters) {
		const set = counters.get(counterSet);
		if (set === undefined) return `device ${name} consumes counters of the unknown set ${counterSet}`;
		for (const counter of Object.keys(consumed))
			if (!set.has(counter)) return `device ${name} consumes the unknown counter ${counter} of ${counterSet}`;
	}
	return undefined;
}

function nodesOf(place: Pick<Device | ResourceSliceSpec, "nodeName" | "nodeSelector" | "allNodes">): {
	isOn: NodeMatch;
	nodes: PooledDevice["nodes"];
} {
	const { nodeName, nodeSelector, allNodes } = place;
	if (nodeName) return { isOn: (node: Node) => node.metadata.name === nodeName, nodes: { name: nodeName } };
	if (allNodes) return { isOn: () => true, nodes: undefined };
	if (nodeSelector === undefined) return { isOn: () => false, nodes: undefined };
	return { isOn: compileNodeSelector(nodeSelector), nodes: { selector: nodeSelector } };
}
