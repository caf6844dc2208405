/** The two versions of OpenAPI in which documents are published. */
export type Dialect = "v2" | "v3";

/** The path by which a document refers to a definition. */
export function referenceTo(name: string, dialect: Dialect): string {
	return dialect === "v2" ? `#/definitions/${name}` : `#/components/schemas/${name}`;
}
