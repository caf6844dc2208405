/** Query parameters by their types, as upstream reads them (apimachinery, conversion of `url.Values`). */

import { ApiError } from "../errors.ts";
import { shortened } from "../shown.ts";
import { parseDuration } from "../time/duration.ts";

/** Whatever is given means yes, even nothing, but `0` and `false` in any case: some clients send `True`. */
export function isTrue(value: string | null): boolean {
	return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

/**
 * An integer of 64 bits; undefined when there is none.
 * @throws ApiError BadRequest
 */
export function integerOf(value: string | null): number | undefined {
	if (value === null || value === "") return undefined;
	const number = /^[-+]?\d{1,400}$/.test(value) ? Number(value) : Number.NaN;
	if (number >= -(2 ** 63) && number < 2 ** 63) return number;
	const why = /^[-+]?\d+$/.test(value) ? "value out of range" : "invalid syntax";
	throw new ApiError("BadRequest", `strconv.ParseInt: parsing ${JSON.stringify(shortened(value))}: ${why}`);
}

/** Checks a duration as Go writes it: `30s`, `1m30s`. @throws ApiError BadRequest */
export function checkTimeout(value: string | null): void {
	if (value === null || value === "" || isDuration(value)) return;
	throw new ApiError(
		"BadRequest",
		`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(shortened(value))}`,
	);
}

function isDuration(text: string): boolean {
	if (text.length >= 100) return false;
	try {
		parseDuration(text);
		return true;
	} catch {
		return false;
	}
}
