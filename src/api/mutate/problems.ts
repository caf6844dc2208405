import { ApiError, type Cause } from "../../core/errors.ts";

/**
 * The problems found by validators, which pass them as arguments; a call can have about a hundred thousand.
 * @throws ApiError RequestEntityTooLarge beyond that
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
