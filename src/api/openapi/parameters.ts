/** Parameters of requests, as OpenAPI describes them. */
export interface Parameter {
	name: string;
	in: "query" | "path";
	type: "string" | "integer" | "boolean";
	description: string;
}

function query(name: string, type: Parameter["type"], description: string): Parameter {
	return { name, in: "query", type, description };
}

export const pretty = query("pretty", "string", "Indents the answer when 'true'.");
export const dryRun = query("dryRun", "string", "'All': checks everything and stores nothing.");
export const fieldManager = query(
	"fieldManager",
	"string",
	"Who owns the fields that this request sets; required to apply.",
);
export const fieldValidation = query(
	"fieldValidation",
	"string",
	"What to do about unknown and duplicate fields: 'Ignore', 'Warn' (the default) or 'Strict'.",
);
export const force = query("force", "boolean", "With apply: takes over fields that others own.");
export const deleting = [
	dryRun,
	query("gracePeriodSeconds", "integer", "How long the object may take to end; 0 for at once."),
	query("propagationPolicy", "string", "What becomes of dependents: 'Orphan', 'Background' or 'Foreground'."),
];
export const selecting = [
	query("allowWatchBookmarks", "boolean", "With watch: sends revisions from time to time even without changes."),
	query("continue", "string", "Goes on with a list that had a limit."),
	query(
		"fieldSelector",
		"string",
		"A selector that restricts the list of returned objects by their fields; all by default.",
	),
	query(
		"labelSelector",
		"string",
		"A selector that restricts the list of returned objects by their labels; all by default.",
	),
	query("limit", "integer", "At most so many objects; 'continue' of the answer leads to the rest."),
	query("resourceVersion", "string", "The answer must not be older than this version."),
	query("resourceVersionMatch", "string", "How resourceVersion is meant: 'NotOlderThan' or 'Exact'."),
	query("sendInitialEvents", "boolean", "With watch: begins with the objects there are."),
	query("timeoutSeconds", "integer", "How long a list or watch may take."),
	query(
		"watch",
		"boolean",
		"Watch for changes to the described resources, and answer with them as they happen; see resourceVersion.",
	),
];
export const nameParameter: Parameter = {
	name: "name",
	in: "path",
	type: "string",
	description: "Name of the object.",
};
export const namespaceParameter: Parameter = {
	name: "namespace",
	in: "path",
	type: "string",
	description: "Namespace.",
};
