/** A transport with bad connections: requests that never arrive, answers that get lost, watches that lag and break. */
import type { Transport } from "../../src/client/client.ts";
import type { Clock, Random } from "../../src/core/clock.ts";
import { ApiError } from "../../src/core/errors.ts";
import type { ApiResponse, ServedWatchEvent } from "../../src/core/exchange.ts";

/** Probabilities from 0 to 1; may be changed while the transport is in use. */
export interface ConnectionFaults {
	/** A request does not reach the server. */
	unreachable: number;
	/** A write is carried out and its answer lost. */
	lostAnswer: number;
	/** A request, or an event of a watch, takes up to `lateMs`. The order of one watch's events stays. */
	late: number;
	lateMs: number;
	/** A watch ends after an event. */
	brokenWatch: number;
}

export function faultyTransport(
	inner: Transport,
	parts: { clock: Clock; random: Random; faults: Readonly<ConnectionFaults> },
): Transport {
	const { clock, random, faults } = parts;
	const strikes = (probability: number) => probability > 0 && random() < probability;
	return {
		async send(request) {
			if (strikes(faults.late)) await clock.sleep(random() * faults.lateMs);
			if (strikes(faults.unreachable)) throw new ApiError("ServiceUnavailable", "the request did not arrive");
			if (request.query.get("watch") !== "true") {
				const answer = await inner.send(request);
				if (request.method !== "GET" && strikes(faults.lostAnswer))
					throw new ApiError("Timeout", "the answer was lost");
				return answer;
			}
			const connection = new AbortController();
			const abort = () => connection.abort(request.signal.reason);
			request.signal.addEventListener("abort", abort, { once: true });
			const answer = await inner.send({ ...request, signal: connection.signal });
			return answer.type === "watch" ? unsteady(answer, connection) : answer;
		},
		close: () => inner.close(),
	};

	function unsteady(watch: ApiResponse & { type: "watch" }, connection: AbortController): ApiResponse {
		return {
			...watch,
			start(sink) {
				const waiting: ServedWatchEvent[] = [];
				const hand = (event: ServedWatchEvent) => {
					sink.event(event);
					if (!strikes(faults.brokenWatch)) return;
					waiting.length = 0;
					connection.abort(new Error("the watch broke"));
					sink.end();
				};
				const handNext = () => {
					const event = waiting[0];
					if (event === undefined || connection.signal.aborted) return;
					hand(event);
					waiting.shift();
					if (waiting.length > 0) wait();
				};
				const wait = () => clock.after(strikes(faults.late) ? random() * faults.lateMs : 0, handNext);
				watch.start({
					event(event) {
						if (connection.signal.aborted) return;
						if (waiting.length === 0 && !strikes(faults.late)) {
							hand(event);
							return;
						}
						waiting.push(event);
						if (waiting.length === 1) clock.after(random() * faults.lateMs, handNext);
					},
					end: (error) => {
						if (!connection.signal.aborted) sink.end(error);
					},
				});
			},
		};
	}
}
