/** Values that must be of all, of some, of one, or of none of several schemas. */
import { breaksWhole } from "./causes.ts";
import { uncorrelated } from "./correlation.ts";
import type { Junctors, SchemaNode } from "./schema-node.ts";
import type { Walk } from "./walk.ts";

type Check = (node: SchemaNode, value: unknown, old: unknown, walk: Walk) => void;

export function checkJunctors(junctors: Junctors, value: unknown, walk: Walk, check: Check): void {
	const { anyOf, oneOf, allOf, not } = junctors;
	if (anyOf.length > 0) checkAnyOf(anyOf, value, walk, check);
	if (oneOf.length > 0) checkOneOf(oneOf, value, walk, check);
	if (allOf.length > 0) checkAllOf(allOf, value, walk, check);
	if (not !== undefined && attempt(not, value, walk, check).holds)
		failWhole("must not validate the schema (not)", walk);
}

function checkAnyOf(alternatives: readonly SchemaNode[], value: unknown, walk: Walk, check: Check): void {
	let nearest: Attempt | undefined;
	for (const node of alternatives) {
		const tried = attempt(node, value, walk, check);
		if (tried.holds) {
			walk.matchCount += tried.matchCount;
			return;
		}
		if (nearest === undefined || tried.matchCount > nearest.matchCount) nearest = tried;
	}
	failWhole("must validate at least one schema (anyOf)", walk);
	tell(nearest, value, walk, check);
}

function checkOneOf(alternatives: readonly SchemaNode[], value: unknown, walk: Walk, check: Check): void {
	let holding = 0;
	let first: Attempt | undefined;
	let nearest: Attempt | undefined;
	for (const node of alternatives) {
		const tried = attempt(node, value, walk, check);
		if (tried.holds) {
			holding++;
			first ??= tried;
		} else if (nearest === undefined || tried.matchCount > nearest.matchCount) nearest = tried;
	}
	if (holding === 1) {
		walk.matchCount += first?.matchCount ?? 0;
		return;
	}
	const found = holding === 0 ? "Found none valid" : `Found ${holding} valid alternatives`;
	failWhole(`must validate one and only one schema (oneOf). ${found}`, walk);
	if (holding === 0) tell(nearest, value, walk, check);
}

function checkAllOf(nodes: readonly SchemaNode[], value: unknown, walk: Walk, check: Check): void {
	let holding = 0;
	for (const node of nodes) {
		const { failureCount } = walk;
		check(node, value, uncorrelated, walk);
		if (walk.failureCount === failureCount) holding++;
	}
	if (holding === nodes.length) return;
	failWhole(`must validate all the schemas (allOf)${holding === 0 ? ". None validated" : ""}`, walk);
}

function failWhole(rule: string, walk: Walk): void {
	walk.fail((place) => breaksWhole(place, `${JSON.stringify(place.name)} ${rule}`));
}

interface Attempt {
	node: SchemaNode;
	holds: boolean;
	matchCount: number;
}

/** Whether a schema holds; reports nothing. */
function attempt(node: SchemaNode, value: unknown, walk: Walk, check: Check): Attempt {
	const { isSilent, failureCount, matchCount } = walk;
	walk.isSilent = true;
	check(node, value, uncorrelated, walk);
	const tried = { node, holds: walk.failureCount === failureCount, matchCount: walk.matchCount - matchCount };
	walk.isSilent = isSilent;
	walk.failureCount = failureCount;
	walk.matchCount = matchCount;
	return tried;
}

/** Why the nearest of the schemas that do not hold does not. */
function tell(nearest: Attempt | undefined, value: unknown, walk: Walk, check: Check): void {
	if (nearest === undefined) return;
	if (walk.isSilent) walk.matchCount += nearest.matchCount;
	else check(nearest.node, value, uncorrelated, walk);
}
