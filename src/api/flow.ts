/** Bounds how much is answered at the same time. */
import { ApiError } from "../core/errors.ts";
import type { RequestInfo } from "./request-info.ts";

export interface Flow {
	/** @returns to be called when the request is answered @throws ApiError TooManyRequests */
	enter(info: RequestInfo): () => void;
}

export function createFlow(limit: number): Flow {
	let running = 0;
	const leave = () => {
		running--;
	};
	return {
		enter(info) {
			if (running >= limit && info.resource !== undefined)
				throw new ApiError("TooManyRequests", "too many requests, please try again later", { retryAfterSeconds: 1 });
			running++;
			return leave;
		},
	};
}
