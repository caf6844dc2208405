/** What allocated claims use of devices. */
import { quantityNano } from "../../core/quantity.ts";
import type { DeviceRequestAllocationResult, ResourceResourceClaim } from "../../kinds/generated/types.ts";
import { amountsOf, type Pool, type PooledDevice } from "./pools.ts";

const known = new WeakMap<readonly ResourceResourceClaim[], { pools: readonly Pool[]; inUse: InUse }>();

/** Remembered for an array of claims; whoever changes it gives back what it took. */
export function inUseOf(claims: readonly ResourceResourceClaim[], pools: readonly Pool[]): InUse {
	const before = known.get(claims);
	if (before?.pools === pools) return before.inUse;
	const inUse = new InUse(claims, pools);
	known.set(claims, { pools, inUse });
	return inUse;
}

/** Changed while a solution is searched: what is taken is given back where it leads nowhere. Amounts are times 10^9. */
export class InUse {
	/** Devices that one claim has for itself → how often (more than once only by mistake). */
	readonly #whole = new Map<string, number>();
	/** Of shared devices: device → capacity → what is consumed. */
	readonly #capacity = new Map<string, Map<string, bigint>>();
	/** Of pools with counters: pool → counter set → counter → what is consumed. */
	readonly #counters = new Map<string, Map<string, Map<string, bigint>>>();

	/** @param claims that have an allocation */
	constructor(claims: readonly ResourceResourceClaim[], pools: readonly Pool[]) {
		const devices = new Map(
			pools.filter(({ counters }) => counters.size > 0).flatMap((pool) => pool.devices.map((each) => [each.id, each])),
		);
		for (const { status } of claims)
			for (const result of status?.allocation?.devices?.results ?? []) this.#record(result, devices);
	}

	#record(result: DeviceRequestAllocationResult, devices: ReadonlyMap<string, PooledDevice>): void {
		// Administrators look at devices that others use.
		if (result.adminAccess) return;
		const id = `${result.driver}/${result.pool}/${result.device}`;
		const device = devices.get(id);
		// The counters are those of the device, however many share it.
		if (device !== undefined && !this.isShared(id)) this.#count(device, 1n);
		if (result.shareID === undefined) this.#add(this.#whole, id, 1);
		else this.#consume(id, amounts(result.consumedCapacity), 1n);
	}

	isTaken(id: string): boolean {
		return this.#whole.has(id);
	}

	/** Whether a shared device has some users. */
	isShared(id: string): boolean {
		return this.#capacity.has(id);
	}

	takeWhole(device: PooledDevice): void {
		this.#add(this.#whole, device.id, 1);
		this.#count(device, 1n);
	}

	giveWhole(device: PooledDevice): void {
		this.#add(this.#whole, device.id, -1);
		this.#count(device, -1n);
	}

	/** @param consumed quantities by the name of the capacity */
	takePart(device: PooledDevice, consumed: Readonly<Record<string, string>>): void {
		if (!this.isShared(device.id)) this.#count(device, 1n);
		this.#consume(device.id, amounts(consumed), 1n);
	}

	givePart(device: PooledDevice, consumed: Readonly<Record<string, string>>): void {
		this.#consume(device.id, amounts(consumed), -1n);
		if (!this.isShared(device.id)) this.#count(device, -1n);
	}

	/** Whether a shared device has that much left of every capacity. */
	hasCapacity({ id, device }: PooledDevice, consumed: Readonly<Record<string, string>>): boolean {
		const used = this.#capacity.get(id);
		return Object.entries(consumed).every(([name, amount]) => {
			const all = device.capacity?.[name]?.value;
			return all !== undefined && (used?.get(name) ?? 0n) + quantityNano(amount) <= quantityNano(all);
		});
	}

	/** Whether the pool has enough left of the counters that the device consumes. */
	hasCounters({ device, pool }: PooledDevice): boolean {
		const used = this.#counters.get(pool.id);
		return (device.consumesCounters ?? []).every(({ counterSet, counters }) => {
			const [all, taken] = [pool.counters.get(counterSet), used?.get(counterSet)];
			for (const [name, amount] of amountsOf(counters))
				if ((taken?.get(name) ?? 0n) + amount > (all?.get(name) ?? 0n)) return false;
			return true;
		});
	}

	#count({ device, pool }: PooledDevice, sign: bigint): void {
		if (device.consumesCounters === undefined) return;
		const sets = this.#counters.get(pool.id) ?? new Map<string, Map<string, bigint>>();
		this.#counters.set(pool.id, sets);
		for (const { counterSet, counters } of device.consumesCounters) {
			const set = sets.get(counterSet) ?? new Map<string, bigint>();
			sets.set(counterSet, set);
			for (const [name, amount] of amountsOf(counters)) set.set(name, (set.get(name) ?? 0n) + sign * amount);
		}
	}

	/** Shares that consume nothing are counted, too. */
	#consume(id: string, consumed: ReadonlyMap<string, bigint>, sign: bigint): void {
		const used = this.#capacity.get(id) ?? new Map<string, bigint>();
		this.#capacity.set(id, used);
		for (const [name, amount] of consumed) used.set(name, (used.get(name) ?? 0n) + sign * amount);
		const shares = (used.get(sharesKey) ?? 0n) + sign;
		used.set(sharesKey, shares);
		if (shares === 0n) this.#capacity.delete(id);
	}

	#add(counts: Map<string, number>, id: string, by: number): void {
		const count = (counts.get(id) ?? 0) + by;
		if (count === 0) counts.delete(id);
		else counts.set(id, count);
	}
}

/** No name of a capacity. */
const sharesKey = "";

function amounts(quantities: Readonly<Record<string, string>> | undefined): Map<string, bigint> {
	return new Map(Object.entries(quantities ?? {}).map(([name, quantity]) => [name, quantityNano(quantity)]));
}
