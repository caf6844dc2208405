import { fail } from "../../values/failure.ts";
import { quoted } from "../../values/text.ts";
import { LibraryValue } from "../../values/value.ts";

/** An IPv4 or IPv6 address as a number. */
export class IPAddress extends LibraryValue {
	readonly typeName = "net.IP";
	readonly value: bigint;
	readonly bits: 32 | 128;
	constructor(value: bigint, bits: 32 | 128) {
		super();
		this.value = value;
		this.bits = bits;
	}
	get costSize(): number {
		return this.bits / 8;
	}
	equals(other: unknown): boolean {
		return other instanceof IPAddress && other.value === this.value && other.bits === this.bits;
	}
	/** In the one form that upstream writes: the longest run of zeros in an IPv6 address is left out. */
	toString(): string {
		return this.bits === 32 ? dotted(Number(this.value)) : colonned(this.value);
	}
	/** The first 16 bits of an IPv6 address. */
	get prefix16(): number {
		return Number(this.value >> 112n);
	}
}

function dotted(value: number): string {
	return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

function colonned(value: bigint): string {
	const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
	let [start, length] = [0, 1];
	for (let at = 0; at < 8; at++) {
		let end = at;
		while (end < 8 && groups[end] === 0) end++;
		if (end - at > length) [start, length] = [at, end - at];
	}
	const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
	return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** An address, or what is wrong with the text, in the words of Go's netip. */
export function parseAddress(text: string): IPAddress | string {
	const shown = text.length > 200 ? text.slice(0, 200) : text;
	const problem = (message: string) => `ParseAddr(${quoted(shown)}): ${message}`;
	const separator = /[.:%]/.exec(text)?.[0];
	if (separator === undefined || text.length > 100) return problem("unable to parse IP");
	if (separator === "%") return problem("missing IPv6 address");
	const value = separator === "." ? parseIPv4(text) : parseIPv6(text);
	if (typeof value === "string") return problem(value);
	return new IPAddress(value, separator === "." ? 32 : 128);
}

function parseIPv4(text: string): bigint | string {
	const unexpected = /[^0-9.].*/s.exec(text);
	if (unexpected !== null) return `unexpected character (at ${quoted(unexpected[0])})`;
	const fields = text.split(".");
	if (fields.some((field) => field === "")) return "IPv4 field must have at least one digit";
	if (fields.some((field) => /^0\d/.test(field))) return "IPv4 field has octet with leading zero";
	if (fields.some((field) => Number(field) > 255)) return "IPv4 field has value >255";
	if (fields.length > 4) return "IPv4 address too long";
	if (fields.length < 4) return "IPv4 address too short";
	return fields.reduce((value, field) => value * 256n + BigInt(field), 0n);
}

function parseIPv6(text: string): bigint | string {
	const [address = "", zone] = text.split("%", 2);
	if (zone === "") return "zone must be a non-empty string";
	const halves = address.split("::");
	if (halves.length > 2) return "multiple :: in address";
	const parts = halves.map((half) => (half === "" ? [] : groupsOf(half)));
	const [head = [], tail = []] = parts;
	if (typeof head === "string") return head;
	if (typeof tail === "string") return tail;
	const count = head.length + tail.length;
	if (halves.length === 1 && count < 8) return "address string too short";
	if (count > (halves.length === 1 ? 8 : 7)) return "trailing garbage after address";
	const groups = [...head, ...new Array<number>(8 - count).fill(0), ...tail];
	// A zone is no part of the address; who parses it refuses it.
	return groups.reduce((value, group) => value * 65536n + BigInt(group), 0n);
}

function groupsOf(half: string): number[] | string {
	const groups: number[] = [];
	const fields = half.split(":");
	for (const [index, field] of fields.entries()) {
		if (index === fields.length - 1 && field.includes(".")) {
			const value = parseIPv4(field);
			if (typeof value === "string") return value;
			groups.push(Number(value >> 16n), Number(value & 0xffffn));
		} else if (field === "") return "each colon-separated field must have at least one digit";
		else if (!/^[0-9a-fA-F]+$/.test(field)) return "unexpected character, want colon";
		else if (field.length > 4) return "each group must have 4 or less digits";
		else groups.push(Number.parseInt(field, 16));
	}
	return groups;
}

/** Whether it is an IPv4 address within IPv6 (`::ffff:1.2.3.4`). */
export function isMapped(address: IPAddress): boolean {
	return address.bits === 128 && address.value >> 32n === 0xffffn;
}

/** An address as `ip()` takes it. @throws Failure when it is none, and for zones and IPv4 addresses within IPv6 */
export function addressOf(text: string): IPAddress {
	const address = parseAddress(text);
	if (typeof address === "string")
		return fail(`IP Address ${quoted(text)} parse error during conversion from string: ${address}`);
	if (text.includes("%")) fail(`IP address ${quoted(text)} with zone value is not allowed`);
	if (isMapped(address)) fail(`IPv4-mapped IPv6 address ${quoted(text)} is not allowed`);
	return address;
}
