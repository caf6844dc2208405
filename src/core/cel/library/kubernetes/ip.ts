import { perCharacter } from "../../cost/factors.ts";
import { scaleRange } from "../../cost/range.ts";
import { boolType, intType, opaqueType, stringType } from "../../types/type.ts";
import { Failure } from "../../values/failure.ts";
import { fixedCost, visitsFirst } from "../costs.ts";
import { type FunctionDeclaration, global, member } from "../function.ts";
import { addressOf, type IPAddress } from "./ip-address.ts";

export const ipType = opaqueType("net.IP");

/** Whether a conversion of a text succeeds. */
export function succeeds(convert: () => unknown): boolean {
	try {
		convert();
		return true;
	} catch (error) {
		if (error instanceof Failure) return false;
		throw error;
	}
}

function within(address: IPAddress, base: bigint, prefix: number): boolean {
	const shift = BigInt(address.bits - prefix);
	return address.value >> shift === base >> shift;
}

function isLoopback(address: IPAddress): boolean {
	return address.bits === 32 ? within(address, 0x7f000000n, 8) : address.value === 1n;
}

function isLinkLocalMulticast(address: IPAddress): boolean {
	return address.bits === 32 ? within(address, 0xe0000000n, 24) : (address.prefix16 & 0xff0f) === 0xff02;
}

function isLinkLocalUnicast(address: IPAddress): boolean {
	return address.bits === 32 ? within(address, 0xa9fe0000n, 16) : (address.prefix16 & 0xffc0) === 0xfe80;
}

function isMulticast(address: IPAddress): boolean {
	return address.bits === 32 ? within(address, 0xe0000000n, 4) : address.prefix16 >> 8 === 0xff;
}

function isGlobalUnicast(address: IPAddress): boolean {
	if (address.value === 0n || (address.bits === 32 && address.value === 0xffffffffn)) return false;
	return !isLoopback(address) && !isMulticast(address) && !isLinkLocalUnicast(address);
}

const parses = visitsFirst();
const accessor = fixedCost(1);

function property(name: string, id: string, run: (address: IPAddress) => boolean): FunctionDeclaration {
	return { name, ...accessor, overloads: [member(id, [ipType], boolType, run)] };
}

export const ip: readonly FunctionDeclaration[] = [
	{ name: "ip", ...parses, overloads: [global("string_to_ip", [stringType], ipType, addressOf)] },
	{
		name: "isIP",
		...parses,
		overloads: [global("is_ip", [stringType], boolType, (text: string) => succeeds(() => addressOf(text)))],
	},
	{
		name: "ip.isCanonical",
		cost: visitsFirst(2).cost,
		estimate: (_, [text]) => text && { cost: scaleRange(text.size, 2 * perCharacter) },
		overloads: [
			global("ip_is_canonical", [stringType], boolType, (text: string) => addressOf(text).toString() === text),
		],
	},
	{
		name: "family",
		...accessor,
		overloads: [member("ip_family", [ipType], intType, (address: IPAddress) => (address.bits === 32 ? 4 : 6))],
	},
	property("isUnspecified", "ip_is_unspecified", (address) => address.value === 0n),
	property("isLoopback", "ip_is_loopback", isLoopback),
	property("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast),
	property("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocalUnicast),
	property("isGlobalUnicast", "ip_is_global_unicast", isGlobalUnicast),
	{
		name: "string",
		overloads: [global("ip_to_string", [ipType], stringType, String)],
	},
];
