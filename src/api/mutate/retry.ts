import { ApiError } from "../../core/errors.ts";

/**
 * How often a write is tried that others keep from being made: by changing its object, taking its name or its address.
 */
const attempts = 10;

/**
 * The one loop in which writes are tried again.
 * @param attempt what came of it; or, returned and not thrown, the conflict that it ended in
 * @throws ApiError the last conflict, when no attempt is left
 */
export async function retryOnConflict<T>(attempt: () => Promise<T | ApiError>): Promise<T> {
	for (let left = attempts - 1; ; left--) {
		const result = await attempt();
		if (!(result instanceof ApiError)) return result;
		if (left === 0) throw result;
	}
}
