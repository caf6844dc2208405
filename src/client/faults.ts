/**
 * Bad connections, for tests: requests that never arrive, conflicts, answers that get lost, watches that lag, lose
 * events and break.
 */

import { ApiError } from "../core/errors.ts";
import type { ApiRequest, ApiResponse, ServedWatchEvent } from "../core/exchange.ts";
import type { Clock, Random } from "../core/time/clock.ts";
import type { Transport } from "./client.ts";

/** Probabilities from 0 to 1; may be changed while the transport is in use. */
export interface ConnectionFaults {
	/** A request does not reach the server. */
	unreachable: number;
	/** An update of the newest state is answered with Conflict, as if someone had been faster. */
	conflict: number;
	/** A write is carried out and its answer lost. */
	lostAnswer: number;
	/**
	 * A request, or an event of a watch, takes up to `lateMs`. Events of one watch stay in order, as the API promises;
	 * those of different watches overtake each other.
	 */
	late: number;
	lateMs: number;
	/** A watch breaks at an event, which then may have arrived or not. */
	brokenWatch: number;
	/**
	 * A watch that broke cannot be resumed: its history is gone, and what happened in the meantime is seen only as a
	 * whole.
	 */
	forgotten: number;
}

export const noFaults: Readonly<ConnectionFaults> = {
	unreachable: 0,
	conflict: 0,
	lostAnswer: 0,
	late: 0,
	lateMs: 0,
	brokenWatch: 0,
	forgotten: 0,
};

export interface FaultyTransport extends Transport {
	/** True: nothing gets through any more, and open watches break. */
	cut(isCut: boolean): void;
}

export interface FaultParts {
	clock: Clock;
	random: Random;
	faults: Readonly<ConnectionFaults>;
}

export function faultyTransport(inner: Transport, parts: FaultParts): FaultyTransport {
	const { send, cut } = faultySend((request) => inner.send(request), parts);
	return { send, cut, close: () => inner.close() };
}

type Sent = Omit<ApiRequest, "user">;

/** Sends requests by a bad connection. What it returns throws ApiError for what does not arrive. */
export function faultySend<Request extends Sent>(
	inner: (request: Request) => Promise<ApiResponse>,
	parts: FaultParts,
): { send(request: Request): Promise<ApiResponse>; cut(isCut: boolean): void } {
	const { clock, random, faults } = parts;
	const strikes = (probability: number) => probability > 0 && random() < probability;
	const watches = new Set<() => void>();
	let isCut = false;
	return {
		async send(request) {
			if (strikes(faults.late)) await clock.sleep(random() * faults.lateMs);
			if (isCut || strikes(faults.unreachable)) throw new ApiError("ServiceUnavailable", "the request did not arrive");
			if (request.query.get("watch") !== "true") {
				if (strikes(faults.conflict) && isUpdate(request)) throw conflict(request.path);
				const answer = await inner(request);
				if (isCut || (request.method !== "GET" && strikes(faults.lostAnswer)))
					throw new ApiError("Timeout", "the answer was lost");
				return answer;
			}
			if (strikes(faults.forgotten)) throw new ApiError("Expired", "too old resource version");
			const connection = new AbortController();
			const abort = () => connection.abort(request.signal.reason);
			request.signal.addEventListener("abort", abort, { once: true });
			const answer = await inner({ ...request, signal: connection.signal });
			return answer.type === "watch" ? unsteady(answer, connection) : answer;
		},
		cut(wanted) {
			isCut = wanted;
			if (isCut) for (const end of [...watches]) end();
		},
	};

	function unsteady(watch: ApiResponse & { type: "watch" }, connection: AbortController): ApiResponse {
		return {
			...watch,
			start(sink) {
				const waiting: ServedWatchEvent[] = [];
				const end = () => {
					waiting.length = 0;
					watches.delete(end);
					if (connection.signal.aborted) return;
					connection.abort(new Error("the watch broke"));
					sink.end();
				};
				const hand = (event: ServedWatchEvent) => {
					const breaks = strikes(faults.brokenWatch);
					if (!breaks || random() < 0.5) sink.event(event);
					if (breaks) end();
				};
				const handNext = () => {
					const event = waiting[0];
					if (event === undefined || connection.signal.aborted) return;
					hand(event);
					waiting.shift();
					if (waiting.length > 0) wait();
				};
				const wait = () => clock.after(strikes(faults.late) ? random() * faults.lateMs : 0, handNext);
				connection.signal.addEventListener("abort", () => watches.delete(end), { once: true });
				watches.add(end);
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
						watches.delete(end);
						if (!connection.signal.aborted) sink.end(error);
					},
				});
				if (isCut) end();
			},
		};
	}
}

function isUpdate({ method }: Sent): boolean {
	return method === "PUT" || method === "PATCH";
}

function conflict(path: string): ApiError {
	const why = "the object has been modified; please apply your changes to the latest version and try again";
	return new ApiError("Conflict", `Operation cannot be fulfilled on ${path}: ${why}`);
}
