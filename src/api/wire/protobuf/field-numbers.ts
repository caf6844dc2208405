/** The field numbers of Kubernetes' types in protobuf. README.md describes how the table is generated. */
import numbers from "./field-numbers.json" with { type: "json" };

export interface NumberedField {
	number: number;
	/** The field's name; of an embedded message its type's. */
	name: string;
	/** Embedded: in JSON, the fields of this message are fields of the outer type. */
	embedded: boolean;
	/** A scalar whose empty value differs from an absent one: 0 replicas are not the default number. */
	optional: boolean;
}

// Types have different fields and are looked up by name.
const table = new Map<string, Readonly<Record<string, number>>>(Object.entries(numbers));

/** In the order of their numbers; empty for a type that is not served. */
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
