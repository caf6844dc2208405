import { newListCost } from "../cost/factors.ts";
import type { Comprehension } from "../parse/syntax.ts";
import { type AnyMap, asMap, MapBuilder, mapGet, mapKeys } from "../values/cel-map.ts";
import { type Failure, fail, noSuchOverload } from "../values/failure.ts";
import { typeNameOf } from "../values/kind.ts";
import type { Builder } from "./builder.ts";
import { charge, type Evaluate, type Frame } from "./frame.ts";
import { absorbed } from "./logic.ts";

/**
 * Macros that loop. Upstream runs each as steps on an accumulator, and counts those; the costs here are the sums of
 * what such a step costs besides its own expressions.
 */
export function buildComprehension(builder: Builder, node: Comprehension): Evaluate {
	const range = builder.build(node.range);
	const names = node.variable2 === undefined ? [node.variable] : [node.variable, node.variable2];
	return builder.withVariables(names, ([first = 0, second]) => {
		const visit = second === undefined ? visitOne(range, first) : visitTwo(range, first, second);
		const body = builder.build(node.body);
		const filter = node.filter && builder.build(node.filter);
		const isConstant = builder.constantOf(node.body) !== undefined;
		switch (node.loop) {
			case "all":
				return quantifier(visit, body, false, 2);
			case "exists":
				return quantifier(visit, body, true, 3);
			case "existsOne":
				return existsOne(visit, body);
			case "filter":
				return selection(visit, body, second ?? first);
			case "map":
			case "transformList":
				return projection(visit, body, filter, isConstant ? 2 : 2 + newListCost);
			case "transformMap":
				return mapOf(visit, filter, 3, (frame, map) => insert(map, frame.locals[first], body(frame)));
			case "transformMapEntry":
				return mapOf(visit, filter, 2, (frame, map) => insertAll(map, body(frame)));
		}
	});
}

/** Calls `each` with the variables set, until it returns false. */
type Visit = (frame: Frame, each: () => boolean) => void;

function visitOne(range: Evaluate, place: number): Visit {
	return (frame, each) => {
		const value = range(frame);
		const items = Array.isArray(value) ? value : mapKeys(rangeMap(value));
		for (let index = 0; index < items.length; index++) {
			frame.locals[place] = items[index];
			if (!each()) return;
		}
	};
}

function visitTwo(range: Evaluate, place: number, place2: number): Visit {
	return (frame, each) => {
		const value = range(frame);
		const map = Array.isArray(value) ? undefined : rangeMap(value);
		const items = map === undefined ? (value as readonly unknown[]) : mapKeys(map);
		for (let index = 0; index < items.length; index++) {
			frame.locals[place] = map === undefined ? index : items[index];
			frame.locals[place2] = map === undefined ? items[index] : mapGet(map, items[index]);
			if (!each()) return;
		}
	};
}

function rangeMap(value: unknown): AnyMap {
	return asMap(value) ?? fail(`got '${typeNameOf(value)}', expected iterable type`);
}

/** `all` and `exists`: the first item that decides ends the loop, and what failed before it does not count. */
function quantifier(visit: Visit, body: Evaluate, decides: boolean, conditionCost: number): Evaluate {
	return (frame) => {
		let decided = false;
		let failure: Failure | undefined;
		visit(frame, () => {
			charge(frame, conditionCost);
			if (decided) return false;
			frame.cost++;
			try {
				const value = body(frame);
				if (value === decides) decided = true;
				else if (value !== !decides) noSuchOverload();
			} catch (error) {
				const later = absorbed(frame, error);
				failure ??= later;
			}
			return true;
		});
		frame.cost++;
		if (decided) return decides;
		if (failure !== undefined) throw failure;
		return !decides;
	};
}

function isTrue(value: unknown): boolean {
	return typeof value === "boolean" ? value : noSuchOverload();
}

function existsOne(visit: Visit, body: Evaluate): Evaluate {
	return (frame) => {
		let count = 0;
		visit(frame, () => {
			const counts = isTrue(body(frame));
			if (counts) count++;
			charge(frame, counts ? 2 : 0);
			return true;
		});
		frame.cost += 2;
		return count === 1;
	};
}

function selection(visit: Visit, body: Evaluate, place: number): Evaluate {
	return (frame) => {
		const list: unknown[] = [];
		visit(frame, () => {
			const chosen = isTrue(body(frame));
			if (chosen) list.push(frame.locals[place]);
			charge(frame, chosen ? 3 + newListCost : 0);
			return true;
		});
		frame.cost++;
		return list;
	};
}

function projection(visit: Visit, body: Evaluate, filter: Evaluate | undefined, cost: number): Evaluate {
	return (frame) => {
		const list: unknown[] = [];
		visit(frame, () => {
			if (filter !== undefined && !isTrue(filter(frame))) return true;
			list.push(body(frame));
			charge(frame, cost);
			return true;
		});
		frame.cost++;
		return list;
	};
}

function mapOf(
	visit: Visit,
	filter: Evaluate | undefined,
	cost: number,
	add: (frame: Frame, map: MapBuilder) => void,
): Evaluate {
	return (frame) => {
		const map = new MapBuilder();
		visit(frame, () => {
			const chosen = filter === undefined || isTrue(filter(frame));
			if (chosen) add(frame, map);
			charge(frame, chosen ? cost : 0);
			return true;
		});
		frame.cost++;
		return map.build();
	};
}

function insert(map: MapBuilder, key: unknown, value: unknown): void {
	if (!map.add(key, value)) fail(`insert failed: key ${String(key)} already exists`);
}

function insertAll(map: MapBuilder, entries: unknown): void {
	const added = asMap(entries) ?? noSuchOverload();
	for (const key of mapKeys(added)) insert(map, key, mapGet(added, key));
}
