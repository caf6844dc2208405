/** Query parameters that several verbs have in common. */
import { ApiError } from "../../core/errors.ts";
import type { Context } from "../server.ts";

/** @throws ApiError BadRequest */
export function isDryRun(query: URLSearchParams): boolean {
	const values = query.getAll("dryRun").filter((value) => value !== "");
	return checkDryRun(values);
}

export function checkDryRun(values: readonly string[]): boolean {
	for (const value of values) {
		if (value === "All") continue;
		throw new ApiError("Invalid", `dryRun: Unsupported value: "${value}": supported values: "All"`, {
			causes: [
				{
					reason: "FieldValueNotSupported",
					message: `Unsupported value: "${value}": supported values: "All"`,
					field: "dryRun",
				},
			],
		});
	}
	return values.length > 0;
}

/** Who writes, for managedFields: `fieldManager`, else the User-Agent up to its first slash. */
export function fieldManagerOf({ request }: Context): string {
	const given = request.query.get("fieldManager");
	if (given !== null && given !== "") return given;
	const agent = request.headers["user-agent"] ?? "";
	const end = agent.indexOf("/");
	return (end < 0 ? agent : agent.slice(0, end)).slice(0, 128) || "unknown";
}

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
		`resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
		{
			causes: [{ reason: "FieldValueInvalid", message: `Invalid value: "${text}"`, field: "resourceVersion" }],
		},
	);
}
