/** Bounds how much is done at the same time. */
import { ApiError } from "../core/errors.ts";

export interface Flow {
	/**
	 * @param isExempt is let in even when there are too many: a probe must find the server alive
	 * @returns to be called when it is done
	 * @throws ApiError TooManyRequests
	 */
	enter(isExempt: boolean): () => void;
}

export function createFlow(limit: number): Flow {
	let running = 0;
	const leave = () => {
		running--;
	};
	return {
		enter(isExempt) {
			if (running >= limit && !isExempt) throw tooManyRequests();
			running++;
			return leave;
		},
	};
}

export function tooManyRequests(): ApiError {
	return new ApiError("TooManyRequests", "too many requests, please try again later", { retryAfterSeconds: 1 });
}
