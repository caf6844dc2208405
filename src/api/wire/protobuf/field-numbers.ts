/** Which numbers the fields of Kubernetes' types have in protobuf. README.md says how the table is written. */
import numbers from "./field-numbers.json" with { type: "json" };

export interface NumberedField {
	number: number;
	/** The field's name; of an embedded message its type's. */
	name: string;
	/** JSON knows nothing of this message: its fields are the outer type's. */
	embedded: boolean;
	/** A scalar in which an empty value says something other than nothing: zero replicas are not the default number. */
	optional: boolean;
}

// Types have different fields, and are looked up by name.
const table = new Map<string, Readonly<Record<string, number>>>(Object.entries(numbers));

/** In the order of their numbers; none for a type that is not served. */
export function numberedFields(type: string): NumberedField[] {
	return Object.entries(table.get(type) ?? {}).map(([key, number]) => ({
		number,
		name: key.replace(/^\*|\?$/g, ""),
		embedded: key.startsWith("*"),
		optional: key.endsWith("?"),
	}));
}

/** Whether messages of the type can be read. */
export function hasNumbers(type: string): boolean {
	return table.has(type);
}
