/** Validation of a value by its schema, keyword by keyword, with upstream's results and messages. */

import { sameJson } from "../../../core/equal.ts";
import type { Cause } from "../../../core/errors.ts";
import { breaks, forbiddenKey, missing, notAmong, tooLong, tooManyParts, wrongType } from "./causes.ts";
import { checkNumber } from "./check-number.ts";
import { checkType } from "./check-type.ts";
import { isUnchanged, oldField, oldItems, uncorrelated } from "./correlation.ts";
import { checkJunctors } from "./junctors.ts";
import type { SchemaNode, SizeLimits, TextLimits } from "./schema-node.ts";
import { Walk } from "./walk.ts";

export interface CheckOptions {
	/** What the value was before an update: parts that were wrong then, and are the same, are let through. */
	old?: unknown;
	/** Field that the value is, such as `status`; absent for a whole object. */
	base?: string;
}

/** What is wrong with a value. Fields of the value that are undefined are none. */
export function checkValue(node: SchemaNode, value: unknown, { old, base }: CheckOptions = {}): Cause[] {
	const walk = new Walk(base);
	check(node, value, old === undefined ? uncorrelated : old, walk);
	if (walk.failureCount > 0 && old !== undefined && isUnchanged(node, value, old)) return [];
	return walk.findings();
}

/** Parts of schemas that do not make up the structure have no old values. */
export function check(node: SchemaNode, value: unknown, old: unknown, walk: Walk): void {
	if (!walk.step()) return;
	const isTypeRight = checkType(node, value, walk);
	if (value === null) {
		if (isTypeRight) walk.matchCount++;
		if (node.enumeration !== undefined) checkEnum(node, node.enumeration, value, walk);
		return;
	}
	// One for each kind of check that applies, and for each that holds.
	walk.matchCount += 4;
	if (node.type !== "" || node.format !== "") walk.matchCount += isTypeRight ? 2 : 1;
	if (node.hasJunctors) checkJunctors(node.junctors, value, walk, check);
	switch (typeof value) {
		case "string":
			walk.matchCount++;
			if (node.textLimits !== undefined) checkText(node, node.textLimits, value, walk);
			if (node.format !== "") checkFormat(node, value, walk);
			break;
		case "number":
			walk.matchCount += 2;
			if (node.limitsNumbers || node.type === "integer" || node.format !== "") checkNumber(node, value, walk);
			break;
		case "object":
			if (Array.isArray(value)) checkItems(node, value, old, walk);
			// Neither null nor a list.
			else checkFields(node, value as Record<string, unknown>, old, walk);
	}
	if (node.enumeration !== undefined) checkEnum(node, node.enumeration, value, walk);
}

function checkPart(node: SchemaNode, value: unknown, old: unknown, walk: Walk): void {
	const { failureCount, causes } = walk;
	const causeCount = causes.length;
	check(node, value, old, walk);
	if (walk.failureCount > failureCount && old !== uncorrelated && isUnchanged(node, value, old))
		walk.forgive(failureCount, causeCount);
}

function checkText(node: SchemaNode, limits: TextLimits, text: string, walk: Walk): void {
	const { maxLength, minLength, pattern } = limits;
	// A character is one or two units.
	if (maxLength !== undefined && text.length > maxLength && characterCount(text) > maxLength)
		walk.fail((place) => tooLong(place, maxLength));
	else if (minLength !== undefined && text.length < minLength * 2 && characterCount(text) < minLength)
		walk.fail((place) => breaks(place, text, `should be at least ${minLength} chars long`));
	else if (pattern !== undefined && !node.matchesPattern(text))
		walk.fail((place) => breaks(place, text, `should match '${pattern}'`));
}

function checkFormat(node: SchemaNode, text: string, walk: Walk): void {
	walk.matchCount++;
	if (!node.matchesFormat(text)) walk.fail((place) => wrongType(place, node.schema.format ?? "", text));
}

function characterCount(text: string): number {
	let count = text.length;
	for (let index = 0; index < text.length - 1; index++) if (isPair(text, index)) count--;
	return count;
}

function isPair(text: string, index: number): boolean {
	return (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
}

function checkEnum(node: SchemaNode, values: readonly unknown[], value: unknown, walk: Walk): void {
	if (typeof value !== "object") {
		if (node.enumerates(value)) return;
	} else if (value !== null) {
		// To upstream a null is none of them, even if it is.
		for (const one of values) {
			if (!walk.step()) return;
			if (sameJson(one, value)) return;
		}
	}
	walk.fail((place) => notAmong(place, value, node.enumerationText));
}

function checkItems(node: SchemaNode, items: readonly unknown[], old: unknown, walk: Walk): void {
	walk.matchCount += 2;
	const { items: item, itemLimits } = node;
	if (item !== undefined) {
		const before = old === uncorrelated ? undefined : oldItems(node, old);
		for (let index = 0; index < items.length; index++) {
			walk.path.push(index);
			checkPart(item, items[index], before?.(items[index]) ?? uncorrelated, walk);
			walk.path.pop();
		}
	}
	if (itemLimits === undefined) return;
	const { min, max } = itemLimits;
	if (min !== undefined && items.length < min)
		walk.fail((place) => breaks(place, items.length, `should have at least ${min} items`));
	if (max !== undefined && items.length > max) walk.fail((place) => tooManyParts(place, items.length, max));
}

function checkFields(node: SchemaNode, fields: Record<string, unknown>, old: unknown, walk: Walk): void {
	walk.matchCount++;
	const isRoot = walk.path.length === 0;
	let fieldCount = 0;
	for (const key in fields) {
		const value = fields[key];
		if (value === undefined) continue;
		fieldCount++;
		const field = node.field(key);
		if (field === undefined && !node.otherKeys) walk.fail((place) => forbiddenKey(place, key));
		const child = field ?? node.values;
		if (child === undefined) continue;
		// Upstream puts a dot before the name of a key even where nothing stands before it.
		walk.path.push(isRoot && field === undefined ? `.${key}` : key);
		const isVersion = isRoot && (key === "apiVersion" || key === "kind");
		checkPart(child, value, old === uncorrelated || isVersion ? uncorrelated : oldField(old, key), walk);
		walk.path.pop();
	}
	if (node.fieldLimits !== undefined) checkFieldCount(node.fieldLimits, fieldCount, walk);
	if (node.required === undefined) return;
	for (const name of node.required)
		if (fields[name] === undefined || !Object.hasOwn(fields, name)) walk.fail((place) => missing(place, name));
}

function checkFieldCount({ min, max }: SizeLimits, count: number, walk: Walk): void {
	if (min !== undefined && count < min)
		walk.fail((place) => breaks(place, count, `should have at least ${min} properties`));
	if (max !== undefined && count > max) walk.fail((place) => tooManyParts(place, count, max));
}
