/** What upstream says of a value that does not fit the type of its field. */

/** The words of its JSON decoder. @param place what the value was to become */
export function cannotUnmarshal(value: unknown, type: string, place: string): string {
	const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
	const shown = typeof value === "number" && type.startsWith("int") ? `number ${numberText(value)}` : found;
	return `json: cannot unmarshal ${shown} into ${place} of type ${type}`;
}

/** Types that decode themselves, also from a map: see `cannotUnmarshal`. */
const selfDecoding: ReadonlySet<string> = new Set(["intstr.IntOrString", "resource.Quantity"]);

/**
 * The words of its conversion from maps, which takes the result of a strategic merge patch.
 * @returns undefined where that leaves the type to the JSON decoder
 */
export function cannotRestore(value: unknown, type: string): string | undefined {
	if (selfDecoding.has(type)) return undefined;
	const found = goKind(value);
	if (type.startsWith("map[")) return `cannot restore map from ${found}`;
	if (type.startsWith("[]")) return `cannot restore slice from ${found}`;
	if (type.startsWith("v1.")) return `cannot restore struct from: ${found}`;
	return convertsTo(found, type) ? `cannot convert ${found} to ${type}` : `unrecognized type: ${type}`;
}

/** Whether Go's language has a conversion between the two, which upstream then refuses. */
function convertsTo(found: string, type: string): boolean {
	if (found === "int64") return type !== "bool";
	return found === "float64" && type.startsWith("int");
}

function goKind(value: unknown): string {
	if (Array.isArray(value)) return "slice";
	if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
	if (typeof value === "boolean") return "bool";
	return typeof value === "string" ? "string" : "map";
}

/** Without an exponent, as clients write integers. */
function numberText(value: number): string {
	return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
