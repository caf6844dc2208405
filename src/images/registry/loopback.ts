/** Whether a host is this machine, or something that only it can reach. Pure. */
import { BlockList, isIP } from "node:net";

export function isLoopback(hostname: string): boolean {
	return hostname === "localhost" || /^127(\.\d+){3}$/.test(hostname) || hostname === "[::1]" || hostname === "::1";
}

const ownAddresses = new BlockList();
ownAddresses.addSubnet("127.0.0.0", 8, "ipv4");
ownAddresses.addSubnet("169.254.0.0", 16, "ipv4");
ownAddresses.addSubnet("0.0.0.0", 8, "ipv4");
ownAddresses.addSubnet("fe80::", 10, "ipv6");
ownAddresses.addAddress("::1", "ipv6");
ownAddresses.addAddress("::", "ipv6");

/**
 * Whether a URL's host is this machine or on its link, such as the metadata service of a cloud: a registry elsewhere
 * has no business there.
 */
export function isOnlyHere(hostname: string): boolean {
	const address = hostname.replace(/^\[|\]$/g, "");
	const family = isIP(address);
	if (family === 0) return /(^|\.)localhost\.?$/i.test(hostname);
	return ownAddresses.check(address, family === 4 ? "ipv4" : "ipv6");
}
