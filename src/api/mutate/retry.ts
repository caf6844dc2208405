import { ApiError } from "../../core/errors.ts";

/**
 * The maximum number of attempts for a write that conflicts with others, which change its object or take its name or
 * address.
 */
const attempts = 10;

/**
 * The only loop that retries writes.
 * @param attempt resolves to the result, or to the conflict as a value
 * @throws ApiError the last conflict
 */
export async function retryOnConflict<T>(attempt: () => Promise<T | ApiError>): Promise<T> {
	for (let left = attempts - 1; ; left--) {
		const result = await attempt();
		if (!(result instanceof ApiError)) return result;
		if (left === 0) throw result;
	}
}
