/**
 * Which hosts and addresses may be reached. The address that is connected to counts, because a name may resolve to
 * another one the next time.
 */
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { checkAllowed } from "./settings.ts";

/** IPv4 addresses that are not public unicast addresses (IANA's registry of special-purpose addresses). */
const special4 = [
	"0.0.0.0/8",
	"10.0.0.0/8",
	"100.64.0.0/10",
	"127.0.0.0/8",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.0.0.0/24",
	"192.0.2.0/24",
	"192.88.99.0/24",
	"192.168.0.0/16",
	"198.18.0.0/15",
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4",
	"240.0.0.0/4",
];
/** In IPv6, everything outside 2000::/3 is special, and these prefixes within it: some lead to IPv4 addresses. */
const special6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** The end of messages that reject a destination. */
export const unlessAllowed = "unless the administrator allows it (--notify-allow)";

export class Destinations {
	/** Made when they are needed, which takes 10 ms: most clusters send nothing. */
	#lists: { special: BlockList; public6: BlockList; allowed: BlockList } | undefined;
	readonly #networks: readonly string[];
	readonly #hosts: readonly string[];
	readonly #isPublicOpen: boolean;

	/**
	 * @param isPublicOpen whether public addresses may be reached without being allowed explicitly
	 * @throws Error that names the invalid entry of the list
	 */
	constructor(allow: readonly string[], isPublicOpen: boolean) {
		checkAllowed(allow);
		this.#networks = allow.filter((item) => isIP(item.split("/")[0] ?? "") !== 0);
		this.#hosts = allow.filter((item) => isIP(item.split("/")[0] ?? "") === 0).map((item) => item.toLowerCase());
		this.#isPublicOpen = isPublicOpen;
	}

	/** Why this address, to which the host's name resolved, may not be reached; undefined if it may. */
	problemOf(host: string, address: string): string | undefined {
		const plain = withoutMapping(address);
		if (this.isAllowed(plain)) return undefined;
		if (this.#isSpecial(plain) || isOwn(plain))
			return `${host} is at an address that notifications may not reach: private, local, or this machine's own, ${unlessAllowed}`;
		if (this.#isPublicOpen || this.#isNamed(host)) return undefined;
		return `this cluster sends no notifications to ${host}, ${unlessAllowed}`;
	}

	/** Whether it is in a network that an administrator has allowed. */
	isAllowed(address: string): boolean {
		return isIn(this.#known().allowed, withoutMapping(address));
	}

	#isSpecial(address: string): boolean {
		if (isIP(address) === 0) return true;
		const { special, public6 } = this.#known();
		return isIn(special, address) || (isIP(address) === 6 && !isIn(public6, address));
	}

	#known() {
		this.#lists ??= {
			special: networks([...special4, ...special6]),
			public6: networks(["2000::/3"]),
			allowed: networks(this.#networks),
		};
		return this.#lists;
	}

	#isNamed(host: string): boolean {
		const name = host.toLowerCase();
		return this.#hosts.some((allowed) =>
			allowed.startsWith("*.") ? name.endsWith(allowed.slice(1)) : name === allowed,
		);
	}
}

function networks(list: readonly string[]): BlockList {
	const found = new BlockList();
	for (const item of list) {
		const [address = "", bits] = item.split("/");
		const is4 = isIP(address) === 4;
		found.addSubnet(address, bits === undefined ? (is4 ? 32 : 128) : Number(bits), is4 ? "ipv4" : "ipv6");
	}
	return found;
}

function isIn(list: BlockList, address: string): boolean {
	const version = isIP(address);
	return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** `::ffff:10.0.0.1` is 10.0.0.1. Zones of addresses (`fe80::1%eth0`) are ignored. */
function withoutMapping(address: string): string {
	const plain = address.split("%")[0] ?? "";
	const mapped = /^(?:0*:)*:?(?:0*:)*ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
	if (mapped !== undefined) return mapped;
	const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(plain) ?? [];
	if (high === undefined || low === undefined) return plain;
	const value = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
	return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

/** A public address may be this machine's own, whose services must not be reachable, either. */
function isOwn(address: string): boolean {
	return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address));
}
