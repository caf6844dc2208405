/** A transport that detects clients that repeat requests without letting time pass, and makes them wait. */
import type { Transport } from "../../src/client/client.ts";
import type { Clock } from "../../src/core/time/clock.ts";

/** Far more identical requests than one moment can justify. */
const limit = 300;

export function patientTransport(inner: Transport, clock: Clock, report: (text: string) => void): Transport {
	let momentMs = -1;
	let counts = new Map<string, number>();
	return {
		async send(request) {
			const nowMs = clock.now();
			if (nowMs !== momentMs) {
				momentMs = nowMs;
				counts = new Map();
			}
			const what = `${request.headers["user-agent"]}: ${request.method} ${request.path}`;
			const count = (counts.get(what) ?? 0) + 1;
			counts.set(what, count);
			if (count === limit && request.method !== "GET" && request.method !== "POST") report(`${what}, over and over`);
			if (count >= limit) await clock.sleep(10);
			return inner.send(request);
		},
		close: () => inner.close(),
	};
}
