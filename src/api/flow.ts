/** Bounds how much is done at the same time. */
import { ApiError } from "../core/errors.ts";

export interface Flow {
	/**
	 * @param isExempt is let in even when there are too many, and does not count: a probe must find the server alive
	 * @param user whose it is, where one user may have less than all
	 * @returns to be called once, when it is done
	 * @throws ApiError TooManyRequests
	 */
	enter(isExempt: boolean, user?: string): () => void;
}

const nothing = () => {};

/** @param limitOfUser default: no less than all */
export function createFlow(limit: number, limitOfUser = limit): Flow {
	let running = 0;
	const runningOf = new Map<string, number>();
	return {
		enter(isExempt, user = "") {
			if (isExempt) return nothing;
			const own = runningOf.get(user) ?? 0;
			if (running >= limit || own >= limitOfUser) throw tooManyRequests();
			running++;
			runningOf.set(user, own + 1);
			return () => {
				running--;
				const left = (runningOf.get(user) ?? 1) - 1;
				if (left === 0) runningOf.delete(user);
				else runningOf.set(user, left);
			};
		},
	};
}

export function tooManyRequests(): ApiError {
	return new ApiError("TooManyRequests", "too many requests, please try again later", { retryAfterSeconds: 1 });
}
