import { perCharacter } from "../../cost/factors.ts";
import { addRanges, one, type Range, scale, scaleRange } from "../../cost/range.ts";
import { sizeOf } from "../../cost/size.ts";
import { boolType, intType, opaqueType, stringType } from "../../types/type.ts";
import { fail } from "../../values/failure.ts";
import { quoted } from "../../values/text.ts";
import { LibraryValue } from "../../values/value.ts";
import { fixedCost, visitsFirst } from "../costs.ts";
import { type Cost, type Estimate, type FunctionDeclaration, global, member } from "../function.ts";
import { ipType, succeeds } from "./ip.ts";
import { addressOf, IPAddress, isMapped, parseAddress } from "./ip-address.ts";

export const cidrType = opaqueType("net.CIDR");

/** A network, with the address that it is written with. */
class Network extends LibraryValue {
	readonly typeName = "net.CIDR";
	readonly address: IPAddress;
	readonly prefix: number;
	constructor(address: IPAddress, prefix: number) {
		super();
		this.address = address;
		this.prefix = prefix;
	}
	get costSize(): number {
		return Math.ceil(this.prefix / 8);
	}
	equals(other: unknown): boolean {
		return other instanceof Network && other.prefix === this.prefix && other.address.equals(this.address);
	}
	toString(): string {
		return `${this.address}/${this.prefix}`;
	}
	contains(address: IPAddress): boolean {
		const shift = BigInt(this.address.bits - this.prefix);
		return address.bits === this.address.bits && address.value >> shift === this.address.value >> shift;
	}
}

/** @throws Failure when the text is no network */
function networkOf(text: string): Network {
	const shown = text.length > 200 ? text.slice(0, 200) : text;
	const problem = (message: string): never =>
		fail(
			`network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(${quoted(shown)}): ${message}`,
		);
	const slash = text.lastIndexOf("/");
	if (slash < 0) return problem("no '/'");
	const address = parseAddress(text.slice(0, slash));
	if (typeof address === "string") return problem(address);
	if (text.includes("%")) return problem("IPv6 zones cannot be present in a prefix");
	const bits = text.slice(slash + 1);
	if (!/^(0|[1-9]\d*)$/.test(bits)) return problem(`bad bits after slash: ${quoted(bits)}`);
	if (bits.length > 3 || Number(bits) > address.bits) return problem("prefix length out of range");
	if (isMapped(address))
		fail(
			`network address parse error during conversion from string: IPv4-mapped IPv6 address ${quoted(text)} is not allowed`,
		);
	return new Network(address, Number(bits));
}

function masked(network: Network): Network {
	const shift = BigInt(network.address.bits - network.prefix);
	return new Network(new IPAddress((network.address.value >> shift) << shift, network.address.bits), network.prefix);
}

function containsNetwork(network: Network, other: Network): boolean {
	return network.prefix <= other.prefix && network.contains(other.address);
}

/** Of comparing the bytes of two addresses; masking the network and reading the other one from a text come on top. */
function containmentCost(masks: boolean, parsesOther: boolean): Cost {
	return {
		before: ([network, other]) => {
			const size = sizeOf(network);
			const masking = masks ? scale(size, perCharacter) + 1 : 0;
			return scale(2 * size, perCharacter) + masking + (parsesOther ? scale(sizeOf(other), perCharacter) : 0);
		},
	};
}

const addressSize: Range = { min: 4, max: 16 };

function containmentEstimate(masks: boolean, parsesOther: boolean): Estimate {
	return (_, [other]) => {
		let cost = scaleRange(addRanges(addressSize, addressSize), perCharacter);
		if (masks) cost = addRanges(cost, scaleRange(addressSize, perCharacter), one);
		if (parsesOther && other !== undefined) cost = addRanges(cost, scaleRange(other.size, perCharacter));
		return { cost };
	};
}

function containment(masks: boolean, parsesOther: boolean) {
	return { cost: containmentCost(masks, parsesOther), estimate: containmentEstimate(masks, parsesOther) };
}

const parses = visitsFirst();
const accessor = fixedCost(1);

export const cidr: readonly FunctionDeclaration[] = [
	{ name: "cidr", ...parses, overloads: [global("string_to_cidr", [stringType], cidrType, networkOf)] },
	{
		name: "isCIDR",
		...parses,
		overloads: [global("is_cidr", [stringType], boolType, (text: string) => succeeds(() => networkOf(text)))],
	},
	{
		name: "containsIP",
		overloads: [
			member(
				"cidr_contains_ip_string",
				[cidrType, stringType],
				boolType,
				(network: Network, text: string) => network.contains(addressOf(text)),
				containment(false, true),
			),
			member(
				"cidr_contains_ip_ip",
				[cidrType, ipType],
				boolType,
				(network: Network, address: IPAddress) => network.contains(address),
				containment(false, false),
			),
		],
	},
	{
		name: "containsCIDR",
		overloads: [
			member(
				"cidr_contains_cidr_string",
				[cidrType, stringType],
				boolType,
				(network: Network, text: string) => containsNetwork(network, networkOf(text)),
				containment(true, true),
			),
			member("cidr_contains_cidr", [cidrType, cidrType], boolType, containsNetwork, containment(true, false)),
		],
	},
	{
		name: "ip",
		overloads: [member("cidr_ip", [cidrType], ipType, (network: Network) => network.address, accessor)],
	},
	{
		name: "prefixLength",
		...accessor,
		overloads: [member("cidr_prefix_length", [cidrType], intType, (network: Network) => network.prefix)],
	},
	{ name: "masked", ...accessor, overloads: [member("cidr_masked", [cidrType], cidrType, masked)] },
	{ name: "string", overloads: [global("cidr_to_string", [cidrType], stringType, String)] },
];
