/** What serves Services of type LoadBalancer: the part of a cloud provider that the controller needs. */
import { formatIPv4, parseIPv4 } from "../../core/addresses.ts";
import { objectKey } from "../../core/object.ts";
import type { Service } from "../../kinds/generated/types.ts";

/** All ports answer at this address, or why not all do. */
export type BalancerState = { address: string } | { problem: string };

export interface Balancer {
	/**
	 * The state of a Service that wants a load balancer; undefined while its ports are being opened.
	 * @param all every Service of the cluster, among which addresses are divided
	 */
	state(service: Service, all: Iterable<Service>): BalancerState | undefined;
	/** Calls `changed` with the key of each Service whose state has changed. @returns a function that ends this */
	onChange(changed: (key: string) => void): () => void;
}

/**
 * Whether the built-in load balancer serves it: a class means another one, and a Service that is being deleted none
 * any more.
 */
export function wantsBalancer({ metadata, spec }: Service): boolean {
	return (
		spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined
	);
}

/** The first of the loopback addresses for Services of a cluster, 127.64.0.1 to 127.127.255.1. */
export function loopbackRange(cluster: number): string {
	return `127.${64 + ((cluster >> 8) % 64)}.${cluster & 255}.1`;
}

/** They may run into the range of another cluster, whose ports are then in use. */
const mostAddresses = 65_000;

/** Gives each Service an address of its own; those that Services have in their status are kept. */
export class AddressBook {
	readonly #first: number;
	readonly #addresses = new Map<string, string>();

	/** @param first lowest address; see `loopbackRange` */
	constructor(first: string) {
		this.#first = parseIPv4(first) ?? 0;
	}

	/** Undefined if none is free. */
	addressOf(service: Service, all: Iterable<Service>): string | undefined {
		const key = objectKey(service);
		const known = this.#addresses.get(key);
		if (known !== undefined) return known;
		const address = this.#allocate(service, all);
		if (address !== undefined) this.#addresses.set(key, address);
		return address;
	}

	#allocate(service: Service, all: Iterable<Service>): string | undefined {
		const key = objectKey(service);
		const taken = new Set<string>();
		const present = new Set<string>();
		for (const other of all) {
			if (!wantsBalancer(other) || objectKey(other) === key) continue;
			present.add(objectKey(other));
			taken.add(this.#addresses.get(objectKey(other)) ?? other.status?.loadBalancer?.ingress?.[0]?.ip ?? "");
		}
		for (const other of this.#addresses.keys()) if (!present.has(other)) this.#addresses.delete(other);
		const last = service.status?.loadBalancer?.ingress?.[0]?.ip;
		if (last !== undefined && this.#contains(last) && !taken.has(last)) return last;
		for (let index = 0; index < mostAddresses; index++) {
			const address = formatIPv4(this.#first + index);
			if (!taken.has(address)) return address;
		}
		return undefined;
	}

	#contains(address: string): boolean {
		const number = parseIPv4(address) ?? 0;
		return number >= this.#first && number < this.#first + mostAddresses;
	}
}

/** For nodes without a network: every Service has an address at once, at which nothing answers. */
export function simulatedBalancer(): Balancer {
	const book = new AddressBook(loopbackRange(0));
	return {
		state(service, all) {
			const address = book.addressOf(service, all);
			return address === undefined ? { problem: "no address is free" } : { address };
		},
		onChange: () => () => {},
	};
}
