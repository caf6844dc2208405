/** One request while it is counted: from its beginning until it is answered or, where it runs on, over. */
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import type { Counter, Histogram } from "../../core/metrics/registry.ts";
import type { RequestInfo } from "../request-info.ts";
import type { RequestLabels } from "./request-labels.ts";

export interface MeasuredRequest {
	/** As soon as it is known. */
	info: RequestInfo | undefined;
	/** Who asks, as soon as that is known. */
	user: User | undefined;
	/** The request may be made. */
	allowed: boolean;
	/** @returns the response, or for what runs on one that counts until it ends */
	answered(response: ApiResponse): ApiResponse;
	/** The connection has become something else. @returns is to be called when that ends */
	switched(): () => void;
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
	/** Whether it was known who asks, and allowed. */
	decided(measured: MeasuredRequest, status: number): void;
	seriesOf(request: ApiRequest, info: RequestInfo | undefined): RequestSeries;
	finished(series: RequestSeries, code: number, startedMs: number): void;
}

const switchingProtocols = 101;
/** Upstream never sees the status of a connection that it passes on, and counts this. */
const unseenCode = 0;

export class Measured implements MeasuredRequest {
	info: RequestInfo | undefined = undefined;
	user: User | undefined = undefined;
	allowed = false;
	readonly #counts: RequestCounts;
	readonly #request: ApiRequest;
	readonly #startedMs: number;

	constructor(counts: RequestCounts, request: ApiRequest, startedMs: number) {
		this.#counts = counts;
		this.#request = request;
		this.#startedMs = startedMs;
		counts.entered(request, 1);
	}

	answered(response: ApiResponse): ApiResponse {
		const series = this.#decided(response.status);
		if (response.type === "watch" && series.events !== undefined) return this.#watched(response, series, series.events);
		if (response.type === "stream" && series.labels.verb === "CONNECT") return this.#streamed(response, series);
		this.#counts.finished(series, response.status, this.#startedMs);
		return response;
	}

	switched(): () => void {
		return this.#running(this.#decided(switchingProtocols), unseenCode);
	}

	#decided(status: number): RequestSeries {
		this.#counts.entered(this.#request, -1);
		this.#counts.decided(this, status);
		return this.#counts.seriesOf(this.#request, this.info);
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
		const { signal } = this.#request;
		const ended = this.#running(series, response.status);
		// A client that is gone may never have begun to read.
		if (signal.aborted) ended();
		else signal.addEventListener("abort", ended, { once: true });
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
		const { signal } = this.#request;
		return {
			type: "watch",
			status: 200,
			headers: response.headers,
			start: (sink) => {
				const ended = this.#running(series, 200);
				if (signal.aborted) ended();
				else signal.addEventListener("abort", ended, { once: true });
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
