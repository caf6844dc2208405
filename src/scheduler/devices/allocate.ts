/**
 * Picks devices on a node for claims. The first solution is taken, in the order of pools, slices and devices; a request
 * tries its alternatives in their order. Pure, but for the identities of shares.
 */
import { sameJson } from "../../core/equal.ts";
import type {
	AllocationResult,
	DeviceRequestAllocationResult,
	Node,
	NodeSelector,
	NodeSelectorTerm,
	ResourceResourceClaim,
} from "../../kinds/generated/types.ts";
import { limits } from "../../kinds/resource/limits.ts";
import type { Devices } from "../model/devices.ts";
import { type Constraint, constraintOf } from "./constraints.ts";
import { AllocationError, Effort } from "./effort.ts";
import { type InUse, inUseOf } from "./in-use.ts";
import { type PooledDevice, poolsOf } from "./pools.ts";
import { consumption, isTolerated, type Wish, wishesOf } from "./wishes.ts";

interface Chosen {
	wish: Wish;
	device: PooledDevice;
	/** Of a shared device. */
	consumed: Record<string, string> | undefined;
}

/**
 * @param newShareId a UUID for each share of a device that several claims may use
 * @param effort of the pod, when it is tried on several nodes
 * @returns an allocation for each claim, or undefined when there is none
 * @throws AllocationError
 */
export function allocate(
	claims: readonly ResourceResourceClaim[],
	node: Node,
	devices: Devices,
	newShareId: () => string,
	effort = new Effort(),
): AllocationResult[] | undefined {
	const chosen = new Search(claims, node, devices, effort).run();
	return chosen?.map((results, index) => allocationOf(claims[index], results, node, newShareId));
}

class Search {
	readonly #inUse: InUse;
	/** By claim, request and alternative. */
	readonly #wishes: readonly Wish[][][];
	readonly #constraints: readonly Constraint[][];
	readonly #chosen: Chosen[][];
	readonly #available: readonly PooledDevice[];
	readonly #invalid: boolean;
	readonly #effort: Effort;

	constructor(claims: readonly ResourceResourceClaim[], node: Node, devices: Devices, effort: Effort) {
		effort.begin();
		this.#effort = effort;
		const pools = poolsOf(devices.slices());
		this.#available = pools.flatMap((pool) => pool.devices.filter(({ isOn }) => isOn(node)));
		this.#invalid = pools.some(({ problem }) => problem !== undefined);
		this.#inUse = inUseOf(devices.allocated(), pools);
		this.#wishes = claims.map((claim) => wishesOf(claim, devices, pools, this.#available, effort));
		this.#constraints = claims.map(({ spec }) => (spec.devices?.constraints ?? []).map(constraintOf));
		this.#chosen = claims.map(() => []);
	}

	run(): Chosen[][] | undefined {
		try {
			if (this.#request(0, 0)) return this.#chosen.map((chosen) => [...chosen]);
		} finally {
			// Other searches share what is in use.
			for (const [claim, chosen] of this.#chosen.entries())
				for (const each of chosen.toReversed()) this.#giveBack(claim, each);
		}
		if (this.#invalid) throw new AllocationError("invalid resource pools were encountered");
		return undefined;
	}

	/** The rest of the solution, from this request on. */
	#request(claim: number, request: number): boolean {
		const wishes = this.#wishes[claim];
		if (wishes === undefined) return true;
		const alternatives = wishes[request];
		if (alternatives === undefined) return this.#request(claim + 1, 0);
		return alternatives.some((wish) => wish.count > 0 && this.#device({ claim, request, wish }, 0, 0));
	}

	/** The rest, from one of the devices of a request on. @param from where its candidates begin */
	#device(place: { claim: number; request: number; wish: Wish }, count: number, from: number): boolean {
		const { claim, request, wish } = place;
		if (count === wish.count) return this.#request(claim, request + 1);
		if ((this.#chosen[claim]?.length ?? 0) >= limits.allocatedDevices) return false;
		const candidates = wish.all ?? this.#available;
		// Of a request for all, each device has its place.
		const end = wish.all === undefined ? candidates.length : from + 1;
		for (let index = from; index < end; index++) {
			const device = candidates[index];
			if (device === undefined) return false;
			this.#effort.attempted();
			const chosen = this.#take(claim, wish, device);
			if (chosen === undefined) continue;
			if (this.#device(place, count + 1, index + 1)) return true;
			this.#giveBack(claim, chosen);
		}
		return false;
	}

	#take(claim: number, wish: Wish, device: PooledDevice): Chosen | undefined {
		const mine = this.#chosen[claim] ?? [];
		const isShared = device.device.allowMultipleAllocations === true;
		if (!isShared && mine.some((other) => other.device === device)) return undefined;
		if (!isTolerated(device.device.taints, wish.wanted) || !wish.matches(device)) return undefined;
		const consumed = isShared ? consumption(device, wish.wanted) : undefined;
		if (!wish.isAdmin && !this.#isFree(device, consumed)) return undefined;
		const constraints = this.#constraints[claim] ?? [];
		for (const [index, constraint] of constraints.entries()) {
			if (constraint.add(wish.name, device)) continue;
			for (const added of constraints.slice(0, index)) added.remove(wish.name, device);
			return undefined;
		}
		const chosen = { wish, device, consumed };
		mine.push(chosen);
		if (!wish.isAdmin) {
			if (consumed === undefined) this.#inUse.takeWhole(device);
			else this.#inUse.takePart(device, consumed);
		}
		return chosen;
	}

	#isFree(device: PooledDevice, consumed: Record<string, string> | undefined): boolean {
		if (this.#inUse.isTaken(device.id)) return false;
		// The users of a shared device share its counters, too.
		if (!this.#inUse.isShared(device.id) && !this.#inUse.hasCounters(device)) return false;
		return consumed === undefined ? !this.#inUse.isShared(device.id) : this.#inUse.hasCapacity(device, consumed);
	}

	#giveBack(claim: number, { wish, device, consumed }: Chosen): void {
		this.#chosen[claim]?.pop();
		for (const constraint of this.#constraints[claim] ?? []) constraint.remove(wish.name, device);
		if (wish.isAdmin) return;
		if (consumed === undefined) this.#inUse.giveWhole(device);
		else this.#inUse.givePart(device, consumed);
	}
}

function allocationOf(
	claim: ResourceResourceClaim | undefined,
	chosen: readonly Chosen[],
	node: Node,
	newShareId: () => string,
): AllocationResult {
	const results = chosen.map((each) => resultOf(each, newShareId));
	const wishes = [...new Set(chosen.map(({ wish }) => wish))];
	const ofClasses = wishes.flatMap(({ name, deviceClass }) =>
		(deviceClass.spec.config ?? []).map(({ opaque }) => ({ source: "FromClass", requests: [name], opaque })),
	);
	const ofClaim = (claim?.spec.devices?.config ?? []).map((config) => ({ source: "FromClaim", ...config }));
	const config = [...ofClasses, ...ofClaim];
	const nodeSelector = nodesOf(chosen, node);
	return {
		devices: { results, ...(config.length === 0 ? {} : { config }) },
		...(nodeSelector === undefined ? {} : { nodeSelector }),
	};
}

function resultOf({ wish, device, consumed }: Chosen, newShareId: () => string): DeviceRequestAllocationResult {
	const { tolerations } = wish.wanted;
	const { bindingConditions, bindingFailureConditions } = device.device;
	return {
		request: wish.name,
		driver: device.driver,
		pool: device.pool.id.slice(device.driver.length + 1),
		device: device.device.name,
		...(wish.isAdmin ? { adminAccess: true } : {}),
		...(tolerations === undefined ? {} : { tolerations }),
		...(bindingConditions === undefined ? {} : { bindingConditions }),
		...(bindingFailureConditions === undefined ? {} : { bindingFailureConditions }),
		...(consumed === undefined ? {} : { shareID: newShareId(), consumedCapacity: consumed }),
	};
}

/** The nodes that can use all of the devices; undefined: all nodes. */
function nodesOf(chosen: readonly Chosen[], node: Node): NodeSelector | undefined {
	const merged: Required<NodeSelectorTerm> = { matchExpressions: [], matchFields: [] };
	for (const { device } of chosen) {
		const name = device.device.bindsToNode ? node.metadata.name : undefined;
		const nodes = name === undefined ? device.nodes : { name };
		if (nodes === undefined) continue;
		if ("name" in nodes) {
			const matchFields = [{ key: "metadata.name", operator: "In", values: [nodes.name] }];
			return { nodeSelectorTerms: [{ matchFields }] };
		}
		const [term] = nodes.selector.nodeSelectorTerms;
		addNew(merged.matchExpressions, term?.matchExpressions);
		addNew(merged.matchFields, term?.matchFields);
	}
	const { matchExpressions, matchFields } = merged;
	if (matchExpressions.length + matchFields.length === 0) return undefined;
	const term = {
		...(matchExpressions.length === 0 ? {} : { matchExpressions }),
		...(matchFields.length === 0 ? {} : { matchFields }),
	};
	return { nodeSelectorTerms: [term] };
}

function addNew<T>(list: T[], more: readonly T[] | undefined): void {
	for (const item of more ?? []) if (!list.some((known) => sameJson(known, item))) list.push(item);
}
