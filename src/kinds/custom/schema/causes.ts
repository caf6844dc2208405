/** What is wrong with values, in the words of upstream's validator of schemas. */
import type { Cause } from "../../../core/errors.ts";
import { shortened, shown } from "../../../core/shown.ts";
import {
	listOfSupported,
	notAmongListed,
	required,
	tooLongValue,
	tooMany,
} from "../../../core/validation/field-errors.ts";
import { numberText } from "./numbers.ts";

/** The position of a value. */
export interface Place {
	/** Field that the walk began with, such as `status`; empty for a whole object. */
	readonly base: string;
	/** Path from there, as messages show it. */
	readonly name: string;
}

/** Upstream's text for the object as a whole. */
export const nowhere = "<nil>";

function fieldOf({ base, name }: Place): string {
	const inside = name.startsWith(".") ? name.slice(1) : name;
	if (inside === "") return base === "" ? nowhere : base;
	return base === "" ? inside : `${base}.${inside}`;
}

function valueText(value: unknown): string {
	return typeof value === "number" ? numberText(value) : shown(value);
}

/** `spec.size: Invalid value: 5: spec.size in body should be …` */
export function breaks(place: Place, value: unknown, rule: string): Cause {
	return {
		reason: "FieldValueInvalid",
		message: `Invalid value: ${valueText(value)}: ${place.name} in body ${rule}`,
		field: fieldOf(place),
	};
}

/** A problem of the whole object, with the field that the walk began with. */
export function breaksWhole({ base }: Place, rule: string): Cause {
	return { reason: "FieldValueInvalid", message: `Invalid value: "": ${rule}`, field: base === "" ? nowhere : base };
}

/** @param shownValue what the message quotes: the type that was found, or a text of the wrong format */
export function wrongType(place: Place, wanted: string, shownValue: string): Cause {
	const quoted = shown(shownValue);
	return {
		reason: "FieldValueTypeInvalid",
		message: `Invalid value: ${quoted}: ${place.name} in body must be of type ${wanted}: ${quoted}`,
		field: fieldOf(place),
	};
}

export function missing(place: Place, field: string): Cause {
	return required(fieldOf({ base: place.base, name: `${place.name}.${field}` }));
}

/** @param values of an enum */
/** Of an enumeration in a message: many values may each be none of a long one. */
const longestList = 10_000;

/** @param list from `listOfValues` */
export function notAmong(place: Place, value: unknown, list: string): Cause {
	// Go prints a null like a text.
	return notAmongListed(fieldOf(place), value ?? "null", list);
}

export function listOfValues(values: readonly unknown[]): string {
	const texts = values.map((one) => (typeof one === "string" ? one : (JSON.stringify(one) ?? "null")));
	return shortened(listOfSupported(texts), longestList);
}

export function tooLong(place: Place, limit: number): Cause {
	return tooLongValue(fieldOf(place), limit);
}

export function tooManyParts(place: Place, count: number, limit: number): Cause {
	return tooMany(fieldOf(place), count, limit);
}

export function forbiddenKey(place: Place, key: string): Cause {
	return {
		reason: "FieldValueInvalid",
		message: `Invalid value: ${shown(key)}: ${place.name}.${key} in body is a forbidden property`,
		field: fieldOf(place),
	};
}
