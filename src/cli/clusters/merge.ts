/** Adds a cluster's context to a kubeconfig that others use as well, and takes it out again. Pure: text to text. */
import type { Document, YAMLMap, YAMLSeq } from "yaml";
import { isRecord } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";

/** In the context: what was the current one before. `extensions` are where kubeconfigs keep what tools add. */
const previousContext = "coxswain.io/previous-context";
const lists = ["clusters", "users", "contexts"] as const;

interface Named {
	name: string;
	[field: string]: unknown;
}

/** A cluster's own kubeconfig: one cluster, user and context, as `kubeconfigText` makes it. */
interface OwnKubeconfig extends Record<(typeof lists)[number], Named[]> {
	"current-context": string;
}

/**
 * Comments and all other entries stay. Entries of the same name are replaced.
 * @param text of the user's kubeconfig; may be empty
 * @param name of the cluster, and of its context
 * @param own text of the cluster's kubeconfig, which may have additions
 * @throws Error that says why the text is not a kubeconfig
 */
export function withContext(text: string, name: string, own: string): string {
	const document = parsed(text);
	// The server writes it.
	const made = yamlLibrary().parse(own) as OwnKubeconfig;
	const context = made.contexts.find((one) => one.name === name);
	if (context === undefined || !isRecord(context["context"])) throw new Error(`it has no context ${name}`);
	const { cluster, user } = context["context"];
	const before = document.get("current-context");
	const earlier = earlierContext(document, name) ?? (typeof before === "string" && before !== name ? before : "");
	for (const [key, value] of Object.entries({ apiVersion: "v1", kind: "Config" }))
		if (!document.has(key)) document.set(key, value);
	replace(
		document,
		"clusters",
		made.clusters.find((one) => one.name === cluster),
	);
	replace(
		document,
		"users",
		made.users.find((one) => one.name === user),
	);
	const extensions = [{ name: previousContext, extension: { context: earlier } }];
	replace(document, "contexts", { name, context: { ...context["context"], extensions } });
	document.set("current-context", name);
	return document.toString();
}

/**
 * The current context becomes that of before again, if the cluster's still is.
 * @throws Error if the cluster is not in it, or the text is not a kubeconfig
 */
export function withoutContext(text: string, name: string): string {
	const document = parsed(text);
	const context = entry(document, "contexts", name);
	if (context === undefined) throw new Error(`it has no context ${name}`);
	const earlier = earlierContext(document, name) ?? "";
	const names = {
		contexts: name,
		clusters: context.getIn(["context", "cluster"]),
		users: context.getIn(["context", "user"]),
	};
	for (const list of lists) {
		const sequence = sequenceOf(document, list);
		sequence.items = sequence.items.filter((item) => nameOf(item) !== names[list]);
	}
	if (document.get("current-context") === name)
		document.set("current-context", entry(document, "contexts", earlier) === undefined ? "" : earlier);
	return document.toString();
}

function parsed(text: string): Document {
	const { parseDocument, isMap } = yamlLibrary();
	const document = parseDocument(text.trim() === "" ? "apiVersion: v1\nkind: Config\n" : text);
	const [problem] = document.errors;
	if (problem !== undefined) throw new Error(`it is not YAML: ${problem.message.split("\n")[0]}`);
	if (!isMap(document.contents)) throw new Error("it is not a kubeconfig");
	return document;
}

function sequenceOf(document: Document, list: (typeof lists)[number]): YAMLSeq {
	const { isSeq } = yamlLibrary();
	const found = document.get(list);
	if (isSeq(found)) return found;
	if (found !== undefined && found !== null) throw new Error(`it is not a kubeconfig: ${list} is not a list`);
	document.set(list, document.createNode([]));
	return sequenceOf(document, list);
}

function nameOf(item: unknown): unknown {
	return yamlLibrary().isMap(item) ? item.get("name") : undefined;
}

function entry(document: Document, list: (typeof lists)[number], name: string): YAMLMap | undefined {
	const { isMap } = yamlLibrary();
	return sequenceOf(document, list).items.find((item) => isMap(item) && nameOf(item) === name) as YAMLMap | undefined;
}

function replace(document: Document, list: (typeof lists)[number], value: Named | undefined): void {
	if (value === undefined) return;
	const sequence = sequenceOf(document, list);
	// An empty list in one line would make what is added to it one, too.
	sequence.flow = false;
	const index = sequence.items.findIndex((item) => nameOf(item) === value.name);
	const node = document.createNode(value);
	if (index < 0) sequence.items.push(node);
	else sequence.items[index] = node;
}

function earlierContext(document: Document, name: string): string | undefined {
	const context = entry(document, "contexts", name)?.toJSON()?.context;
	const extensions: unknown = isRecord(context) ? context["extensions"] : undefined;
	const ours = Array.isArray(extensions)
		? extensions.find((one) => isRecord(one) && one["name"] === previousContext)
		: undefined;
	const value: unknown = ours?.extension?.context;
	return typeof value === "string" ? value : undefined;
}
