/** Checks of single values that validators of many kinds share. */
import { semanticEqual } from "../equal.ts";
import type { Cause } from "../errors.ts";
import { quantityNano } from "../quantity.ts";
import { invalidEach, invalidValue, notSupported, required } from "./field-errors.ts";
import {
	dnsSubdomainProblems,
	labelValueProblems,
	pathSegmentProblems,
	portNumberProblems,
	qualifiedNameProblems,
} from "./names.ts";

export function nonNegative(value: number | undefined, path: string): Cause[] {
	if (value === undefined || value >= 0) return [];
	return [invalidValue(path, value, "must be greater than or equal to 0")];
}

export function atLeast(value: number | undefined, least: number, path: string): Cause[] {
	if (value === undefined || value >= least) return [];
	return [invalidValue(path, value, `must be greater than or equal to ${least}`)];
}

export function positive(value: number | undefined, path: string): Cause[] {
	if (value === undefined || value > 0) return [];
	return [invalidValue(path, value, "must be greater than 0")];
}

/** One of a closed set. Absent and empty are fine here: `requiredOneOf` is for fields that must be there. */
export function oneOf(value: string | undefined, supported: readonly string[], path: string): Cause[] {
	if (value === undefined || value === "" || supported.includes(value)) return [];
	return [notSupported(path, value, [...supported].sort())];
}

export function requiredOneOf(value: string | undefined, supported: readonly string[], path: string): Cause[] {
	return value === undefined || value === "" ? [required(path)] : oneOf(value, supported, path);
}

/** Counts that only go up; an absent one is zero. */
export function notDecremented(value: number | undefined, old: number | undefined, path: string): Cause[] {
	if ((value ?? 0) < (old ?? 0)) return [invalidValue(path, value ?? 0, "cannot be decremented")];
	return nonNegative(value, path);
}

export function requiredText(value: string | undefined, path: string, detail = ""): Cause[] {
	return value === undefined || value === "" ? [required(path, detail)] : [];
}

/** A name that must be there, and fits into a URL. */
export function pathSegment(value: string | undefined, path: string, detail = ""): Cause[] {
	return value ? invalidEach(path, value, pathSegmentProblems(value)) : [required(path, detail)];
}

export function portNumber(value: number, path: string): Cause[] {
	return invalidEach(path, value, portNumberProblems(value));
}

export function subdomainName(value: string | undefined, path: string): Cause[] {
	if (value === undefined || value === "") return [required(path)];
	return invalidEach(path, value, dnsSubdomainProblems(value));
}

/** Keys and values of labels. */
export function labels(map: Readonly<Record<string, string>> | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [key, value] of Object.entries(map ?? {})) {
		causes.push(...invalidEach(path, key, qualifiedNameProblems(key)));
		causes.push(...invalidEach(path, value, labelValueProblems(value)));
	}
	return causes;
}

const annotationsLimitBytes = 256 * 1024;

export function annotations(map: Readonly<Record<string, string>> | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	let bytes = 0;
	for (const [key, value] of Object.entries(map ?? {})) {
		causes.push(...invalidEach(path, key, qualifiedNameProblems(key.toLowerCase())));
		bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
	}
	if (bytes > annotationsLimitBytes)
		causes.push({
			reason: "FieldValueTooLong",
			message: `Too long: may not be more than ${annotationsLimitBytes} bytes`,
			field: path,
		});
	return causes;
}

/** A number that is not negative, or a percentage such as `25%`. */
export function numberOrPercent(value: number | string | undefined, path: string): Cause[] {
	if (value === undefined) return [];
	if (typeof value === "number") return nonNegative(value, path);
	if (/^[0-9]+%$/.test(value)) return [];
	return [
		invalidValue(
			path,
			value,
			"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
		),
	];
}

/** 0 for anything but a percentage. */
function percentOf(value: number | string | undefined): number {
	return typeof value === "string" && /^[0-9]+%$/.test(value) ? Number.parseInt(value, 10) : 0;
}

/** Percentages over 100 make no sense where they say how much may be missing. */
export function atMostAll(value: number | string | undefined, path: string): Cause[] {
	return percentOf(value) > 100 ? [invalidValue(path, value, "must not be greater than 100%")] : [];
}

/** True when a number or percentage comes to nothing: 0 or `0%`. */
export function isZero(value: number | string | undefined): boolean {
	return value === undefined || value === 0 || (typeof value === "string" && Number.parseInt(value, 10) === 0);
}

export function nonNegativeQuantity(value: string, path: string): Cause[] {
	return quantityNano(value) < 0n ? [invalidValue(path, value, "must be greater than or equal to 0")] : [];
}

/** `field is immutable` when the values differ. */
export function immutable(value: unknown, old: unknown, path: string): Cause[] {
	return semanticEqual(value, old) ? [] : [invalidValue(path, value, "field is immutable")];
}

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/;

export function isIPv4(text: string): boolean {
	return ipv4.test(text) && !text.endsWith(".");
}

export function isIPv6(text: string): boolean {
	if (!text.includes(":") || !/^[0-9a-fA-F:.]+$/.test(text)) return false;
	const halves = text.split("::");
	if (halves.length > 2) return false;
	let groups = 0;
	for (const half of halves) {
		if (half === "") continue;
		const parts = half.split(":");
		for (const [index, part] of parts.entries()) {
			const last = index === parts.length - 1 && half === halves.at(-1);
			if (last && isIPv4(part)) groups += 2;
			else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups++;
			else return false;
		}
	}
	return halves.length === 2 ? groups < 8 : groups === 8;
}

export function ipAddress(text: string, path: string): Cause[] {
	if (isIPv4(text) || isIPv6(text)) return [];
	if (isIPv4(withoutLeadingZeros(text))) return [invalidValue(path, text, "must not have leading 0s")];
	return [invalidValue(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
}

function withoutLeadingZeros(address: string): string {
	return address.replaceAll(/\b0+(?=\d)/g, "");
}

/** An IPv4 or IPv6 network, as `10.9.8.0/24`. */
export function cidr(text: string, path: string): Cause[] {
	if (isCidr(text)) return [];
	if (isCidr(withoutLeadingZeros(text)))
		return [invalidValue(path, text, "must not have leading 0s in IP or prefix length")];
	return [invalidValue(path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
}

function isCidr(text: string): boolean {
	const [, address = "", bits = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
	const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
	return Number(bits) <= longest;
}
