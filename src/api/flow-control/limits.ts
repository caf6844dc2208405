/** How many seats the levels have: by their shares, and by what they need of what others lend. */
import type { PriorityLevelConfiguration } from "../../kinds/generated/types.ts";

export interface Limits {
	/** By its shares. */
	nominal: number;
	/** What it keeps when it lends as much as it may. */
	least: number;
	/** What it has when it borrows as much as it may. */
	most: number;
}

type Spec = PriorityLevelConfiguration["spec"];

/** @param seats of the whole server */
export function limitsOf(specs: readonly Spec[], seats: number): Limits[] {
	const all = specs.map(sharesOf);
	const sum = all.reduce((total, { shares }) => total + shares, 0);
	const nominals = all.map(({ shares }) => (sum === 0 ? 0 : Math.ceil((seats * shares) / sum)));
	const nominalSum = nominals.reduce((total, nominal) => total + nominal, 0);
	return all.map(({ lendable, borrowing }, index) => {
		const nominal = nominals[index] ?? 0;
		const least = nominal - Math.round((nominal * lendable) / 100);
		const most = borrowing === undefined ? nominalSum : nominal + Math.round((nominal * borrowing) / 100);
		return { nominal, least, most };
	});
}

function sharesOf({ type, exempt, limited }: Spec) {
	const { nominalConcurrencyShares, lendablePercent = 0 } = (type === "Exempt" ? exempt : limited) ?? {};
	const shares = nominalConcurrencyShares ?? (type === "Exempt" ? 0 : 30);
	return { shares, lendable: lendablePercent, borrowing: limited?.borrowingLimitPercent };
}

export interface Wish {
	least: number;
	most: number;
	/** At least `least`. */
	target: number;
}

/** A level that needs nothing could otherwise not be weighed against others. */
const leastTarget = 0.001;

/**
 * Divides seats in proportion to the targets, but within each level's bounds.
 * @param seats less than the sum of all `least` gives each its least
 */
export function divided(wishes: readonly Wish[], seats: number): number[] {
	const at = (proportion: number) =>
		wishes.map(({ least, most, target }) =>
			Math.max(least, Math.min(most, proportion * Math.max(target, leastTarget))),
		);
	const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
	let low = 0;
	let high = 1;
	const mostOfAll = sum(wishes.map(({ most }) => most));
	while (sum(at(high)) < Math.min(seats, mostOfAll) && high < 1e12) high *= 2;
	for (let step = 0; step < 60; step++) {
		const middle = (low + high) / 2;
		if (sum(at(middle)) < seats) low = middle;
		else high = middle;
	}
	return at(high).map(Math.round);
}
