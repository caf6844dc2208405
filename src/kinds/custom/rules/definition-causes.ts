/** What is wrong with the rules of a schema when they are defined: expressions, and what they may come to cost. */
import type { Cause } from "../../../core/errors.ts";
import { forbidden, invalidValue } from "../../../core/validation/field-errors.ts";
import { SchemaNode } from "../schema/schema-node.ts";
import { hasDefault, itemsOf, type SchemaProps, type ValidationRule, valuesOf } from "../schema/schema-props.ts";
import { ruleCauses, rulesOf } from "./check-rules.ts";
import { type CompiledRule, compiledRules } from "./compiled-rules.ts";
import { largestRequestBytes, leastBytes } from "./rule-types.ts";

/** Estimated costs: of one expression, and of all of a schema. */
const mostOfRule = 10_000_000;
const mostOfSchema = 100_000_000;
/** So many of the most expensive rules are named, of those that make up a hundredth of what is allowed. */
const mostNamed = 4;

interface Totals {
	cost: number;
	expensive: { path: string; cost: number }[];
}

interface Position {
	readonly path: string;
	readonly isObject: boolean;
	/** How many such values an object may have; undefined: as many as fit into a request. */
	readonly count: number | undefined;
	/** The outermost part whose values cannot be matched with those of an old object. */
	readonly uncorrelated: string | undefined;
}

/** @param path of the schema, which is structural */
export function ruleDefinitionCauses(schema: SchemaProps, path: string): Cause[] {
	const causes: Cause[] = [];
	const totals: Totals = { cost: 0, expensive: [] };
	visit(schema, { path, isObject: true, count: 1, uncorrelated: undefined }, totals, causes);
	if (totals.cost <= mostOfSchema) return causes;
	for (const rule of totals.expensive) {
		const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
		causes.push(forbidden(rule.path, why));
	}
	const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
	return [...causes, forbidden(path, tooExpensive(what, totals.cost, mostOfSchema))];
}

function visit(schema: SchemaProps, position: Position, totals: Totals, causes: Cause[]): void {
	const { path, count } = position;
	const below = count === undefined ? undefined : times(count, mostParts(schema));
	const inside = (part: SchemaProps, name: string, uncorrelated = position.uncorrelated) => {
		const isObject = part["x-kubernetes-embedded-resource"] === true;
		visit(part, { path: `${path}.${name}`, isObject, count: below, uncorrelated }, totals, causes);
	};
	if (hasDefault(schema)) causes.push(...defaultCauses(schema, `${path}.default`));
	const [values, items] = [valuesOf(schema), itemsOf(schema)];
	if (values !== undefined) inside(values, "additionalProperties");
	for (const [name, property] of Object.entries(schema.properties ?? {})) inside(property, `properties[${name}]`);
	if (items !== undefined) {
		const isKeyed = schema["x-kubernetes-list-type"] === "map";
		inside(items, "items", isKeyed ? position.uncorrelated : (position.uncorrelated ?? path));
	}
	if ((schema["x-kubernetes-validations"]?.length ?? 0) > 0) addOwn(schema, position, totals, causes);
}

/** A default must be right as a new value, and as one that was there before. */
function defaultCauses(schema: SchemaProps, path: string): Cause[] {
	const rules = rulesOf(schema);
	const node = new SchemaNode(schema);
	const causes = ruleCauses(rules, node, schema.default, { old: schema.default, keeps: false, path });
	return causes.length > 0 ? causes : ruleCauses(rules, node, schema.default, { path });
}

function addOwn(schema: SchemaProps, position: Position, totals: Totals, causes: Cause[]): void {
	const at = `${position.path}.x-kubernetes-validations`;
	const rules = compiledRules(schema, position.isObject);
	if (rules === undefined) {
		const why =
			"internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
		causes.push({ reason: "InternalError", message: `Internal error: ${why}`, field: at });
		return;
	}
	const count = position.count ?? Math.floor(largestRequestBytes / (leastBytes(schema, position.isObject) + 1));
	for (const [index, rule] of rules.entries())
		causes.push(...causesOf(rule, `${at}[${index}]`, count, position.uncorrelated, totals));
}

function causesOf(
	{ rule, program, problem, usesOldSelf, message, messageProblem }: CompiledRule,
	at: string,
	count: number,
	uncorrelated: string | undefined,
	totals: Totals,
): Cause[] {
	if (problem !== undefined) return [invalidValue(`${at}.rule`, shownRule(rule), problem)];
	const causes: Cause[] = [];
	if (program !== undefined) {
		const cost = times(program.estimatedCost().max, count);
		if (cost > mostOfRule) causes.push(forbidden(`${at}.rule`, tooExpensive("estimated rule cost", cost, mostOfRule)));
		observe(totals, `${at}.rule`, cost);
	}
	if (messageProblem !== undefined)
		causes.push(invalidValue(`${at}.messageExpression`, shownRule(rule), messageProblem));
	else if (message !== undefined) {
		const cost = message.estimatedCost().max;
		if (cost > mostOfRule) {
			const why = tooExpensive("estimated messageExpression cost", cost, mostOfRule);
			causes.push(forbidden(`${at}.messageExpression`, why));
		}
		observe(totals, `${at}.messageExpression`, cost);
	}
	if (usesOldSelf && uncorrelated !== undefined) {
		const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
		causes.push(invalidValue(`${at}.rule`, rule.rule, why));
	} else if (!usesOldSelf && rule.optionalOldSelf !== undefined)
		causes.push(
			invalidValue(`${at}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"),
		);
	return causes;
}

/** As upstream's own type of a rule is shown. */
function shownRule(rule: ValidationRule): object {
	return {
		Rule: rule.rule,
		Message: rule.message ?? "",
		MessageExpression: rule.messageExpression ?? "",
		Reason: rule.reason ?? null,
		FieldPath: rule.fieldPath ?? "",
		OptionalOldSelf: rule.optionalOldSelf ?? null,
	};
}

function observe(totals: Totals, path: string, cost: number): void {
	totals.cost += cost;
	if (cost < mostOfSchema / 100) return;
	totals.expensive.push({ path, cost });
	totals.expensive.sort((a, b) => b.cost - a.cost);
	totals.expensive.length = Math.min(totals.expensive.length, mostNamed);
}

/** The largest number of values directly in a value of the schema; undefined: no limit. */
function mostParts({ type, additionalProperties, maxProperties, maxItems }: SchemaProps): number | undefined {
	if (type === "array") return maxItems === undefined ? undefined : Math.max(maxItems, 0);
	if (type !== "object" || additionalProperties === undefined) return 1;
	return maxProperties === undefined ? undefined : Math.max(maxProperties, 0);
}

function times(a: number, b: number): number;
function times(a: number, b: number | undefined): number | undefined;
function times(a: number, b: number | undefined): number | undefined {
	return b === undefined ? undefined : a * b;
}

function tooExpensive(what: string, cost: number, limit: number): string {
	const factor = cost / limit;
	const text = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
	const advice =
		"try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
	return `${what} exceeds budget by factor of ${text} (${advice})`;
}
