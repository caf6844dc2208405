/** One request while it is counted: from its beginning until it is answered or, where it runs on, over. */
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import type { Counter, Histogram } from "../../core/metrics/registry.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { RequestLabels } from "./request-labels.ts";

/** What is known of a request when it is answered. */
export interface RequestFacts {
	readonly request: ApiRequest;
	readonly info: RequestInfo | undefined;
	/** The authenticated user. */
	readonly requester: User | undefined;
	/** The request may be made. */
	readonly isAllowed: boolean;
}

export interface MeasuredRequest {
	/** @returns the response, or for what runs on one that counts until it ends */
	answered(response: ApiResponse): ApiResponse;
}

/** Requests of one kind: same verb, resource and scope. */
export interface RequestSeries {
	readonly labels: RequestLabels;
	readonly byCode: Map<number, Counter>;
	readonly seconds: Histogram;
	/** Watches, logs and connections that run now. */
	running: number;
	/** Events that were sent; undefined for what is no watch. */
	readonly events: Counter | undefined;
}

/** Where requests are counted. */
export interface RequestCounts {
	/** Of those under way. */
	entered(request: ApiRequest, change: 1 | -1): void;
	/** Whether the request was authenticated and authorized. */
	decided(facts: RequestFacts, status: number): void;
	seriesOf(request: ApiRequest, info: RequestInfo | undefined): RequestSeries;
	finished(series: RequestSeries, code: number, startedMs: number): void;
}

/** Upstream never sees the status of a connection that it passes on, and counts this. */
const unseenCode = 0;

export class Measured implements MeasuredRequest {
	readonly #counts: RequestCounts;
	readonly #facts: RequestFacts;
	readonly #startedMs: number;

	constructor(counts: RequestCounts, facts: RequestFacts, startedMs: number) {
		this.#counts = counts;
		this.#facts = facts;
		this.#startedMs = startedMs;
		counts.entered(facts.request, 1);
	}

	answered(response: ApiResponse): ApiResponse {
		const { request, info } = this.#facts;
		this.#counts.entered(request, -1);
		this.#counts.decided(this.#facts, response.status);
		const series = this.#counts.seriesOf(request, info);
		if (response.type === "watch" && series.events !== undefined) return this.#watched(response, series, series.events);
		if (response.type === "stream" && series.labels.verb === "CONNECT") return this.#streamed(response, series);
		if (response.type === "connection") this.#untilGone(this.#running(series, unseenCode));
		else this.#counts.finished(series, response.status, this.#startedMs);
		return response;
	}

	#untilGone(ended: () => void): void {
		const { signal } = this.#facts.request;
		if (signal.aborted) ended();
		else signal.addEventListener("abort", ended, { once: true });
	}

	/** @returns is to be called when it is over; once is enough */
	#running(series: RequestSeries, code: number): () => void {
		let isOver = false;
		series.running++;
		return () => {
			if (isOver) return;
			isOver = true;
			series.running--;
			this.#counts.finished(series, code, this.#startedMs);
		};
	}

	/** Logs, and what comes by a proxy. */
	#streamed(response: Extract<ApiResponse, { type: "stream" }>, series: RequestSeries): ApiResponse {
		const { signal } = this.#facts.request;
		const ended = this.#running(series, response.status);
		// A client that is gone may never have begun to read.
		this.#untilGone(ended);
		const { body } = response;
		return {
			...response,
			body: (async function* () {
				try {
					yield* body;
				} finally {
					signal.removeEventListener("abort", ended);
					ended();
				}
			})(),
		};
	}

	#watched(response: Extract<ApiResponse, { type: "watch" }>, series: RequestSeries, events: Counter): ApiResponse {
		const { signal } = this.#facts.request;
		return {
			type: "watch",
			status: 200,
			headers: response.headers,
			frames: response.frames,
			start: (sink) => {
				const ended = this.#running(series, 200);
				this.#untilGone(ended);
				response.start({
					event(event) {
						events.inc();
						sink.event(event);
					},
					end(error) {
						signal.removeEventListener("abort", ended);
						ended();
						sink.end(error);
					},
				});
			},
		};
	}
}
