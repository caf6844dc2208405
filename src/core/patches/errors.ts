import { ApiError, messageOf } from "../errors.ts";

/** The patch is none: wrong shape, unknown operation. */
export function badPatch(message: string): ApiError {
	return new ApiError("BadRequest", message);
}

/** The patch is well formed and does not fit the object. The cause says why; upstream's message does not. */
export function doesNotApply(why: string): ApiError {
	return new ApiError("Invalid", "the server rejected our request due to an error in our request", {
		causes: [{ reason: "UnexpectedServerResponse", field: "patch", message: why }],
	});
}

/** Why a patch failed, for messages of admission, which upstream fills with the reason. */
export function patchProblem(error: unknown): string {
	const cause = error instanceof ApiError ? error.details?.causes?.[0] : undefined;
	return cause?.message ?? messageOf(error);
}
