import { ApiError, type Cause } from "../../core/errors.ts";

/**
 * What validators find. They hand on their findings as arguments, of which a call can have about a hundred thousand.
 * @throws ApiError RequestEntityTooLarge beyond that: of so much that is wrong nothing can be said
 */
export function problemsOf(validate: () => Cause[]): Cause[] {
	try {
		return validate();
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new ApiError(
			"RequestEntityTooLarge",
			"Request entity too large: more is wrong with the object than can be told",
			{},
		);
	}
}
