/** Addresses and ranges of fields that take only their one canonical form (KEP-4858). */
import type { Cause } from "../errors.ts";
import { cidr, ipAddress, isIPv4, isIPv6 } from "./field-checks.ts";
import { invalidValue } from "./field-errors.ts";

const mapped = "must not be an IPv4-mapped IPv6 address";

export function canonicalIp(text: string, path: string): Cause[] {
	const causes = ipAddress(text, path);
	if (causes.length > 0) return causes;
	const canonical = canonicalAddress(text);
	if (isMapped(canonical)) return [invalidValue(path, text, mapped)];
	return canonical === text ? [] : [notCanonical(path, text, canonical)];
}

/** A range without bits behind its prefix. */
export function canonicalCidr(text: string, path: string): Cause[] {
	const causes = cidr(text, path);
	if (causes.length > 0) return causes;
	const [address = "", length = ""] = text.split("/");
	const canonical = canonicalAddress(address);
	if (isMapped(canonical)) return [invalidValue(path, text, mapped)];
	if (hasBitsBehind(canonical, Number(length)))
		return [invalidValue(path, text, "must not have bits set beyond the prefix length")];
	return canonical === address ? [] : [notCanonical(path, text, `${canonical}/${length}`)];
}

function notCanonical(path: string, text: string, canonical: string): Cause {
	return invalidValue(path, text, `must be in canonical form (${JSON.stringify(canonical)})`);
}

/** Of a valid address. */
function canonicalAddress(address: string): string {
	return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function isMapped(canonical: string): boolean {
	return canonical.startsWith("::ffff:");
}

function hasBitsBehind(canonical: string, length: number): boolean {
	const bits = isIPv4(canonical) ? bitsOf(canonical.split("."), 10, 8) : bitsOf(groupsOf(canonical), 16, 16);
	return bits.slice(length).includes("1");
}

function bitsOf(parts: readonly string[], radix: number, width: number): string {
	return parts.map((part) => Number.parseInt(part, radix).toString(2).padStart(width, "0")).join("");
}

function groupsOf(canonical: string): string[] {
	const [head = [], tail = []] = canonical.split("::").map((half) => half.split(":").filter((group) => group !== ""));
	if (!canonical.includes("::")) return head;
	return [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
}
