import { ApiError } from "../../core/errors.ts";
import { shortened } from "../../core/shown.ts";

/**
 * The revision of a `resourceVersion` parameter; undefined when there is none.
 * @throws ApiError BadRequest
 */
export function revisionOf(text: string | null): number | undefined {
	if (text === null || text === "") return undefined;
	const revision = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (Number.isSafeInteger(revision)) return revision;
	throw new ApiError(
		"Invalid",
		`resourceVersion: Invalid value: "${shortened(text)}": strconv.ParseUint: parsing "${shortened(text)}": invalid syntax`,
		{
			causes: [
				{ reason: "FieldValueInvalid", message: `Invalid value: "${shortened(text)}"`, field: "resourceVersion" },
			],
		},
	);
}
