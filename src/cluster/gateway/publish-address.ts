import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { loopbackRange } from "../../controllers/service-load-balancer/balancer.ts";

export const defaultPublish = "127.0.0.1";
/** No port of the machine is opened, and load balancers stay pending. */
export const publishNothing = "none";

/** Where a cluster's ports are opened. */
export interface PublishAddresses {
	/** Of node ports and host ports. */
	address: string;
	/** The first address of load balancers; undefined: they share `address`. */
	first?: string;
	/** The address in the status of load balancers, if another one is listened on. */
	shown?: string;
}

/** @throws Error if the option's value is no address */
export function parsePublish(value: string): string {
	if (value !== publishNothing && !isIPv4(value))
		throw new Error(
			`'${value}' is not an IPv4 address: wanted 127.0.0.1, 0.0.0.0, an address of this machine, or none`,
		);
	return value;
}

/** @param data the cluster's data directory: clusters of one machine have other addresses for load balancers */
export function publishAddresses(publish: string, data: string): PublishAddresses {
	if (publish.startsWith("127.")) {
		const digest = createHash("sha256").update(data).digest();
		return { address: publish, first: loopbackRange(digest.readUInt16BE(0)) };
	}
	if (publish !== "0.0.0.0") return { address: publish };
	const shown = Object.values(networkInterfaces())
		.flat()
		.find((entry) => entry?.family === "IPv4" && !entry.internal)?.address;
	return { address: publish, shown: shown ?? defaultPublish };
}
