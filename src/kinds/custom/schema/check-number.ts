import { breaks, breaksWhole } from "./causes.ts";
import { fits, isInt64, numberText, passesForInteger } from "./numbers.ts";
import type { SchemaNode } from "./schema-node.ts";
import type { Walk } from "./walk.ts";

/**
 * Upstream compares an integer with bounds and factors without their fractions. Of those that are themselves not of the
 * type it complains each time.
 */
export function checkNumber(node: SchemaNode, value: number, walk: Walk): void {
	const { maximum, exclusiveMaximum, minimum, exclusiveMinimum, multipleOf } = node.schema;
	checkFits(node, value, "Checked", walk);
	if (multipleOf !== undefined) checkMultiple(node, value, multipleOf, walk);
	if (maximum !== undefined) {
		const bound = boundFor(node, value, maximum, "Maximum boundary", walk);
		if (exclusiveMaximum ? value >= bound.value : value > bound.value)
			walk.fail((place) =>
				breaks(place, value, `should be less than ${exclusiveMaximum ? "" : "or equal to "}${bound.text}`),
			);
	}
	if (minimum !== undefined) {
		const bound = boundFor(node, value, minimum, "Minimum boundary", walk);
		if (exclusiveMinimum ? value <= bound.value : value < bound.value)
			walk.fail((place) =>
				breaks(place, value, `should be greater than ${exclusiveMinimum ? "" : "or equal to "}${bound.text}`),
			);
	}
}

/** @returns whether the number is one of the type and format */
function checkFits({ type, format }: SchemaNode, value: number, what: string, walk: Walk): boolean {
	if (fits(value, type, format)) return true;
	walk.fail((place) => {
		const kind = format === "" ? `${type} (default format)` : `${type} with format ${format}`;
		return breaksWhole(place, `${what} value must be of type ${kind} in ${place.name}`);
	});
	return false;
}

interface Bound {
	value: number;
	text: string;
}

function boundFor(node: SchemaNode, value: number, bound: number, what: string, walk: Walk): Bound {
	const isWhole = checkFits(node, bound, what, walk) && isInt64(value);
	const compared = isWhole ? Math.trunc(bound) : bound;
	return { value: compared, text: numberText(compared, isWhole) };
}

function checkMultiple(node: SchemaNode, value: number, multipleOf: number, walk: Walk): void {
	const factor = boundFor(node, value, multipleOf, "MultipleOf", walk);
	if (factor.value <= 0)
		walk.fail((place) => ({
			...breaks(place, factor.value, ""),
			message: `Invalid value: ${factor.text}: factor MultipleOf declared for ${place.name} must be positive: ${factor.text}`,
		}));
	else if (!passesForInteger(factor.value < 1 ? (1 / factor.value) * value : value / factor.value))
		walk.fail((place) => breaks(place, value, `should be a multiple of ${factor.text}`));
}
