/**
 * `/metrics/workloads`: what kube-state-metrics tells of a cluster's objects, made from the watch cache while someone
 * reads it. Between scrapes nothing of it exists.
 */

import type { ApiResponse } from "../../core/exchange.ts";
import { expositionType } from "../../core/metrics/exposition.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { WatchCache } from "../cache/cache.ts";
import { keyPrefix } from "../cache/keys.ts";
import { tooManyRequests } from "../request/flow.ts";
import { type KindFamilies, type Labels, labelText } from "./family.ts";
import { workloadFamilies } from "./list.ts";

/** A piece of text is sent when it is this long; then others have their turn. */
const pieceLength = 64 * 1024;
const parsedAtOnce = 256;
/** Scrapes at the same time. Each holds the objects of a kind as they were when it came to it. */
const mostScrapes = 8;
/** Of one user: every pod may ask as kube-state-metrics, and must not keep others from it. */
const mostOfUser = 4;
/** A client that has not read everything by then makes room for others. */
const patienceMs = 60_000;

interface Scrape {
	user: string;
	sinceMs: number;
}

export class WorkloadMetrics {
	readonly #cache: WatchCache;
	readonly #clock: Clock;
	/** When those under way began. */
	readonly #running = new Set<Scrape>();

	constructor(cache: WatchCache, clock: Clock) {
		this.#cache = cache;
		this.#clock = clock;
	}

	/** @throws ApiError TooManyRequests */
	answer(user: string): ApiResponse {
		const nowMs = this.#clock.monotonicMs();
		for (const one of this.#running) if (nowMs - one.sinceMs > patienceMs) this.#running.delete(one);
		const own = [...this.#running].filter((one) => one.user === user).length;
		if (this.#running.size >= mostScrapes || own >= mostOfUser) throw tooManyRequests();
		const scrape: Scrape = { user, sinceMs: nowMs };
		this.#running.add(scrape);
		return { type: "stream", status: 200, headers: { "content-type": expositionType }, body: this.#body(scrape) };
	}

	async *#body(scrape: Scrape): AsyncGenerator<Uint8Array> {
		try {
			for (const text of this.#text()) {
				if (text !== "") yield Buffer.from(text);
				await turn();
				if (!this.#running.has(scrape)) throw new Error("the client took too long");
			}
		} finally {
			this.#running.delete(scrape);
		}
	}

	/** In pieces, some of which are empty. */
	*#text(): Generator<string> {
		for (const families of workloadFamilies) {
			const found = [...this.#cache.resource(families.kind).range(keyPrefix(families.kind))];
			const objects: KubeObject[] = [];
			for (const cached of found) {
				objects.push(cached.object);
				// After a restart each is parsed now.
				if (objects.length % parsedAtOnce === 0) yield "";
			}
			yield* kindText(families, objects);
		}
	}
}

/** In pieces. */
export function* kindText({ labels, families }: KindFamilies, objects: readonly KubeObject[]): Generator<string> {
	// The same for every family. What is joined is one string in memory: made of parts, it would be put together again
	// for every series.
	const own: string[] = [];
	for (const { name, help, type = "gauge", each } of families) {
		const opening = `${name}{`;
		let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
		let ownText = "";
		const add = (value: number, more: Labels | string = "") => {
			const rest = typeof more === "string" ? more : labelText(more);
			const end = value === 1 ? "} 1\n" : value === 0 ? "} 0\n" : `} ${value}\n`;
			text += opening + (rest === "" ? ownText.slice(0, -1) : ownText + rest) + end;
		};
		for (const [index, object] of objects.entries()) {
			ownText = own[index] ??= [labelText(labels(object)), ""].join(",");
			each(object, add);
			if (text.length < pieceLength) continue;
			yield text;
			text = "";
		}
		if (text !== "") yield text;
	}
}

function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
