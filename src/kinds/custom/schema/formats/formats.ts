/** Formats of strings that API servers check (`format` of a schema); all others are only documentation. */
import { isIPv6 } from "../../../../core/validation/field-checks.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../../../core/validation/names.ts";
import { base64Mistake } from "../../../engine/scalars.ts";
import { isCreditCard, isIsbn10, isIsbn13 } from "./check-digits.ts";
import { isEmail } from "./email.ts";
import { isDate, isDateTime, isDuration } from "./times.ts";
import { isRequestUri } from "./uri.ts";

/** Whether a text has the format. */
export type Format = (text: string) => boolean;

/** By their names without dashes. */
const formats: ReadonlyMap<string, Format> = new Map<string, Format>([
	["bsonobjectid", by(/^[0-9a-fA-F]{24}$/)],
	["byte", (text) => text !== "" && base64Mistake(text) === undefined],
	["cidr", isCidr],
	["creditcard", isCreditCard],
	["date", isDate],
	["datetime", isDateTime],
	["duration", isDuration],
	["email", isEmail],
	["hexcolor", by(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
	["hostname", isHostname],
	["ipv4", (text) => isSloppyIPv4(text) || (text.includes(".") && isIPv6(text))],
	["ipv6", isIPv6],
	["isbn", (text) => isIsbn10(text) || isIsbn13(text)],
	["isbn10", isIsbn10],
	["isbn13", isIsbn13],
	["k8slongname", (text) => dnsSubdomainProblems(text).length === 0],
	["k8sshortname", (text) => dnsLabelProblems(text).length === 0],
	["mac", isMac],
	["password", () => true],
	["rgbcolor", isRgbColor],
	["ssn", by(/^(?=.{11}$)\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
	["uri", isRequestUri],
	["uuid", by(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
	["uuid3", by(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
	["uuid4", by(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
	["uuid5", by(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
]);

/** Undefined for a format that is not checked. */
export function formatOf(name: string): Format | undefined {
	return formats.get(name.replaceAll("-", ""));
}

/** Whether values of a type are checked against the format; formats of other types are none. */
export function isCheckedFormat(type: string, format: string): boolean {
	switch (type) {
		case "integer":
			return format === "int32" || format === "int64";
		case "number":
			return format === "float" || format === "double";
		case "":
		case "string":
			return formatOf(format) !== undefined;
		default:
			return false;
	}
}

function by(pattern: RegExp): Format {
	return (text) => pattern.test(text);
}

/** Zeros may lead, as old versions of Go had it. */
function isSloppyIPv4(text: string): boolean {
	const parts = text.split(".", 5);
	return parts.length === 4 && parts.every((part) => /^\d+$/.test(part) && Number(part) <= 255);
}

function isCidr(text: string): boolean {
	const cut = text.indexOf("/");
	const [address, bits] = [text.slice(0, Math.max(cut, 0)), text.slice(cut + 1)];
	const longest = isSloppyIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
	return /^\d+$/.test(bits) && Number(bits) <= longest;
}

const longestHostnameBytes = 255;
const soleLabel = /^[a-zA-Z0-9\p{S}\p{L}]-?[a-zA-Z0-9\p{S}\p{L}]{0,62}$/u;
const innerLabel = /^[a-zA-Z0-9\p{S}\p{L}](?:[-a-zA-Z0-9\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?$/u;
const lastLabel = /^[a-zA-Z\p{L}]{2,63}$/u;

/** RFC 1034 with symbols, and as upstream has it: a name of one label has a dash in the second place only. */
function isHostname(text: string): boolean {
	if (text.length > longestHostnameBytes || Buffer.byteLength(text) > longestHostnameBytes) return false;
	const labels = text.split(".");
	if (labels.some((label) => Buffer.byteLength(label) > 63)) return false;
	if (labels.length === 1) return soleLabel.test(text);
	const last = labels.pop() ?? "";
	return lastLabel.test(last) && labels.every((label) => innerLabel.test(label));
}

/** 6, 8 or 20 bytes. */
function isMac(text: string): boolean {
	const separator = text[2] === ":" || text[2] === "-" ? text[2] : ".";
	const parts = text.split(separator, 21);
	if (separator === ".")
		return [3, 4, 10].includes(parts.length) && parts.every((part) => /^[0-9a-fA-F]{4}$/.test(part));
	return [6, 8, 20].includes(parts.length) && parts.every((part) => /^[0-9a-fA-F]{2}$/.test(part));
}

/** Colors up to 19 or over 99 and with one digit less count, too, as in upstream's pattern. */
function isRgbColor(text: string): boolean {
	const [, ...colors] = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text) ?? [];
	return colors.length === 3 && colors.every((color) => String(Number(color)) === color && Number(color) <= 255);
}
