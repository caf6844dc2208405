/** Where the connections to a published port go. */
import { cidrContains, parseCidr, parseIPv4 } from "../../core/addresses.ts";
import type { Clock } from "../../core/time/clock.ts";

export interface Endpoint {
	address: string;
	port: number;
}

export interface Target {
	endpoints: readonly Endpoint[];
	/** Session affinity by client address, in seconds; undefined: none. */
	affinitySeconds?: number;
	/** IPv4 blocks of the clients that are served; undefined: all. Others are ignored. */
	sourceRanges?: readonly string[];
}

/** The number of clients whose endpoint is remembered. */
const mostClients = 10_000;

/** Chooses endpoints as the rules of nodes do: at random, or the client's last one. */
export class Chooser {
	readonly #clock: Clock;
	readonly #last = new Map<string, { endpoint: Endpoint; untilMs: number }>();
	#target: Target;

	constructor(target: Target, clock: Clock) {
		this.#target = target;
		this.#clock = clock;
	}

	aim(target: Target): void {
		this.#target = target;
	}

	/** Whether the endpoint is still one of the target's. */
	has(endpoint: Endpoint): boolean {
		return this.#target.endpoints.some(({ address, port }) => address === endpoint.address && port === endpoint.port);
	}

	/** Undefined for a client that is not served, and without endpoints. */
	choose(client: string): Endpoint | undefined {
		const { endpoints, affinitySeconds, sourceRanges } = this.#target;
		if (sourceRanges !== undefined && !isIn(client, sourceRanges)) return undefined;
		const last = affinitySeconds === undefined ? undefined : this.#last.get(client);
		const nowMs = this.#clock.monotonicMs();
		const kept = last !== undefined && last.untilMs > nowMs && this.has(last.endpoint) ? last.endpoint : undefined;
		const endpoint = kept ?? endpoints[Math.floor(this.#clock.random() * endpoints.length)];
		if (affinitySeconds !== undefined && endpoint !== undefined) {
			// Inserted last: the first ones are those that were not used for longest.
			this.#last.delete(client);
			this.#last.set(client, { endpoint, untilMs: nowMs + affinitySeconds * 1000 });
			const [oldest] = this.#last.keys();
			if (this.#last.size > mostClients && oldest !== undefined) this.#last.delete(oldest);
		}
		return endpoint;
	}
}

function isIn(client: string, ranges: readonly string[]): boolean {
	const address = parseIPv4(client);
	if (address === undefined) return false;
	return ranges.some((range) => {
		const cidr = parseCidr(range.trim());
		return cidr !== undefined && cidrContains(cidr, address);
	});
}
