/** Reads the body of a request, within limits of size, time and memory. */
import type { Readable } from "node:stream";
import { ApiError } from "../../core/errors.ts";
import type { Clock } from "../../core/time/clock.ts";
import { largestBodyBytes } from "../wire/body.ts";
import type { BodyBudget, Timeouts } from "./limits.ts";

/** `aborted`: it is incomplete. */
export type Body = Readable & { readonly aborted: boolean };

export interface BodyLimits {
	clock: Clock;
	timeouts: Timeouts;
	bodies: BodyBudget;
}

/** With listeners: an asynchronous iterator creates several promises per chunk, and an error when it is left. */
export function receiveBody(
	{ body, headers }: { body: Body; headers: Record<string, string | undefined> },
	{ clock, timeouts, bodies }: BodyLimits,
): Promise<Uint8Array> {
	return new Promise((resolve, reject) => {
		if (Number(headers["content-length"] ?? 0) > largestBodyBytes) {
			reject(tooLarge());
			return;
		}
		if (body.destroyed || body.aborted) {
			reject(brokenOff());
			return;
		}
		const chunks: Uint8Array[] = [];
		let byteCount = 0;
		let isOver = false;
		const over = () => {
			isOver = true;
			timer.cancel();
			bodies.give(byteCount);
		};
		const fail = (error: unknown) => {
			if (isOver) return;
			over();
			body.pause();
			reject(error);
		};
		const timer = clock.after(timeouts.bodyMs, () =>
			fail(new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", {})),
		);
		body.on("data", (chunk: Uint8Array) => {
			if (isOver) return;
			try {
				bodies.take(chunk.length);
			} catch (error) {
				fail(error);
				return;
			}
			byteCount += chunk.length;
			chunks.push(chunk);
			if (byteCount > largestBodyBytes) fail(tooLarge());
		});
		body.on("end", () => {
			// A stream that is reset ends, too.
			if (body.aborted) fail(brokenOff());
			if (isOver) return;
			over();
			resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, byteCount));
		});
		body.on("error", () => fail(brokenOff()));
		// The only event of a connection that is cut in the middle.
		body.on("close", () => {
			if (!isOver) fail(brokenOff());
		});
	});
}

function tooLarge(): ApiError {
	return new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${largestBodyBytes}`, {});
}

/** An incomplete body is discarded. */
function brokenOff(): ApiError {
	return new ApiError("BadRequest", "the client is gone");
}
