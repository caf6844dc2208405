/** Evaluation of a schema's rules (`x-kubernetes-validations`) over an object, within upstream's bounds of cost. */
import { Optional } from "../../../core/cel/cel.ts";
import type { Cause } from "../../../core/errors.ts";
import { isRecord } from "../../../core/object.ts";
import { nowhere } from "../schema/causes.ts";
import { isUnchanged, oldField, oldItems, uncorrelated } from "../schema/correlation.ts";
import type { SchemaNode } from "../schema/schema-node.ts";
import type { SchemaProps } from "../schema/schema-props.ts";
import { type Sparse, sparse } from "../schema/sparse.ts";
import { type CompiledRule, compiledRules } from "./compiled-rules.ts";
import { brokenRule, cannotBeEvaluated, outOfBudget } from "./rule-messages.ts";

/** What all rules of an object may cost together. */
const objectBudget = 10_000_000;

/** Compiled when a value first gets there. */
export type Rules = Sparse<() => CompiledRule[] | undefined>;

export function rulesOf(schema: SchemaProps): Rules | undefined {
	return sparse(schema, (part) => {
		if ((part["x-kubernetes-validations"]?.length ?? 0) === 0) return undefined;
		const isObject = part === schema || part["x-kubernetes-embedded-resource"] === true;
		let made: { rules: CompiledRule[] | undefined } | undefined;
		return () => {
			made ??= { rules: compiledRules(part, isObject) };
			return made.rules;
		};
	});
}

/** A value, what it was before, and whether it may stay as it is. */
interface Part {
	readonly value: unknown;
	/** What rules see as the old value; `uncorrelated` where there is none. */
	readonly old: unknown;
	/** The nearest part around it that has an old value: while that stays the same, rules may not hold. */
	readonly kept: { node: SchemaNode; value: unknown; old: unknown } | undefined;
}

interface Walk {
	readonly causes: Cause[];
	budget: number;
}

export interface RuleOptions {
	/** What the value was before an update. */
	old?: unknown;
	/** Whether what an update leaves as it was need not hold. */
	keeps?: boolean;
	/** Path of the value; absent: a whole object. */
	path?: string;
}

export function ruleCauses(
	rules: Rules | undefined,
	node: SchemaNode,
	value: unknown,
	{ old, keeps = true, path = "" }: RuleOptions = {},
): Cause[] {
	if (rules === undefined) return [];
	const walk: Walk = { causes: [], budget: objectBudget };
	const kept = old === undefined || !keeps ? undefined : { node, value, old };
	visit(rules, node, { value, old: old === undefined ? uncorrelated : old, kept }, path, walk);
	return walk.causes;
}

const blocking = new Set([
	"FieldValueNotSupported",
	"FieldValueRequired",
	"FieldValueTooLong",
	"FieldValueTooMany",
	"FieldValueTypeInvalid",
]);

/** Rules rely on types and sizes. @returns the problem to report where these are wrong, instead of evaluating rules */
export function blockedRules(causes: readonly Cause[]): Cause | undefined {
	if (!causes.some(({ reason }) => blocking.has(reason))) return undefined;
	const why =
		"some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
	return { reason: "FieldValueInvalid", message: `Invalid value: "null": ${why}`, field: nowhere };
}

function visit(rules: Rules, node: SchemaNode, part: Part, path: string, walk: Walk): void {
	const { value, old } = part;
	if (walk.budget < 0 || value === null || value === undefined) return;
	if (rules.here !== undefined) evaluateAll(rules.here(), node, part, path, walk);
	if (walk.budget < 0) return;
	if (Array.isArray(value)) {
		const { items } = node;
		if (rules.items === undefined || items === undefined) return;
		const before = oldItems(node, old);
		for (const [index, item] of value.entries()) {
			const was = before?.(item) ?? uncorrelated;
			visit(rules.items, items, partOf(items, item, was, part.kept), `${path}[${index}]`, walk);
		}
	} else if (isRecord(value)) visitFields(rules, node, value, part, path, walk);
}

function visitFields(
	rules: Rules,
	node: SchemaNode,
	value: Record<string, unknown>,
	{ old, kept }: Part,
	path: string,
	walk: Walk,
): void {
	const { fields, values } = rules;
	for (const key in value) {
		const field = node.field(key);
		const below = field === undefined ? values : fields?.get(key);
		const child = field ?? node.values;
		if (below === undefined || child === undefined) continue;
		const was = oldField(old, key);
		// Versions are converted: of apiVersion and kind a client sees no old values.
		const isVersion = path === "" && (key === "apiVersion" || key === "kind");
		const part = partOf(child, value[key], was, kept);
		const inside = field === undefined ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
		visit(below, child, isVersion ? { ...part, kept: undefined } : part, inside, walk);
	}
}

function partOf(node: SchemaNode, value: unknown, old: unknown, around: Part["kept"]): Part {
	return { value, old, kept: old === uncorrelated || around === undefined ? around : { node, value, old } };
}

function evaluateAll(
	rules: readonly CompiledRule[] | undefined,
	node: SchemaNode,
	part: Part,
	path: string,
	walk: Walk,
): void {
	if (walk.budget === 0) stop(walk, outOfBudget(node, path));
	for (const rule of rules ?? []) {
		if (walk.budget < 0) return;
		evaluate(rule, node, part, path, walk);
	}
}

function evaluate(rule: CompiledRule, node: SchemaNode, part: Part, path: string, walk: Walk): void {
	const { program, usesOldSelf } = rule;
	const isOptional = rule.rule.optionalOldSelf === true;
	if (program === undefined || (usesOldSelf && part.old === uncorrelated && !isOptional)) return;
	const variables = variablesOf(part, usesOldSelf, isOptional);
	const outcome = program.evaluate(variables);
	if (outcome.cost > walk.budget) {
		stop(walk, outOfBudget(node, path));
		return;
	}
	walk.budget -= outcome.cost;
	if (outcome.error !== undefined) {
		walk.causes.push(cannotBeEvaluated(node, path, outcome.error, rule, outcome.limitExceeded));
		if (outcome.limitExceeded) stop(walk);
	} else if (outcome.value !== true && (usesOldSelf || !isKept(part))) {
		const message = rule.message?.evaluate(variables);
		const { cause, isLast } = brokenRule(node, path, part.value, rule, message, walk.budget);
		walk.causes.push(cause);
		walk.budget = isLast ? -1 : walk.budget - (message?.cost ?? 0);
	}
}

function stop(walk: Walk, ...causes: Cause[]): void {
	walk.causes.push(...causes);
	walk.budget = -1;
}

function isKept({ kept }: Part): boolean {
	return kept !== undefined && isUnchanged(kept.node, kept.value, kept.old);
}

function variablesOf({ value, old }: Part, usesOldSelf: boolean, isOptional: boolean): Record<string, unknown> {
	if (!usesOldSelf) return { self: value };
	const before = old === uncorrelated ? undefined : old;
	return { self: value, oldSelf: isOptional ? new Optional(before) : before };
}
