/** The requests that the API server answers, as data that both dialects of OpenAPI are made from. */
import type { Subresource } from "../discovery/announced-resources.ts";
import type { ServedResource } from "../discovery/served.ts";
import type { GroupVersionKind } from "./definitions.ts";
import { idPrefix } from "./operation-names.ts";
import {
	deleting,
	dryRun,
	fieldManager,
	fieldValidation,
	force,
	nameParameter,
	namespaceParameter,
	type Parameter,
	pretty,
	selecting,
} from "./parameters.ts";

/** What a body or an answer consists of: a definition by name, or text. */
export type Content = { definition: string } | "text";

export interface Operation {
	method: "get" | "put" | "post" | "patch" | "delete";
	/** Upstream's naming, for generated clients: `createAppsV1NamespacedDeployment`. */
	id: string;
	/** `x-kubernetes-action`. */
	action: string;
	kind: GroupVersionKind;
	description: string;
	parameters: readonly Parameter[];
	body?: { definition: string; patch?: true; optional?: true };
	/** HTTP codes of success. */
	codes: readonly number[];
	answer: Content;
}

export interface Path {
	path: string;
	/** Those that the path itself has. */
	parameters: readonly Parameter[];
	operations: readonly Operation[];
}

/** Definitions that the operations of a resource speak of. */
export interface Names {
	object: string;
	/** Absent for what is not stored. */
	list?: string;
	/** Of a subresource's object; undefined when it is not an object of the API. */
	subresource(subresource: Subresource): string | undefined;
	status: string;
	deleteOptions: string;
	patch: string;
	watchEvent: string;
}

/** All paths of a resource, in the order: collection across namespaces, collection, object, subresources. */
export function pathsOf(group: string, version: string, resource: ServedResource, names: Names): Path[] {
	const kind: GroupVersionKind = { group, kind: resource.kind, version };
	const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
	const prefix = idPrefix(group, version);
	const scope = resource.namespaced ? "Namespaced" : "";
	const at = resource.namespaced ? `${base}/namespaces/{namespace}/${resource.plural}` : `${base}/${resource.plural}`;
	const outer = resource.namespaced ? [namespaceParameter, pretty] : [pretty];
	const inner = [nameParameter, ...outer];
	const context: Context = {
		kind,
		verbs: new Set(resource.verbs),
		names,
		returnsDeleted: resource.returnsDeleted === true,
		id: (verb, part = "") => `${verb}${prefix}${part}${scope}${kind.kind}`,
	};

	const collection = collectionOperations(context);
	const paths: Path[] = [
		{ path: at, parameters: outer, operations: collection },
		{ path: `${at}/{name}`, parameters: inner, operations: objectOperations(context) },
		...resource.subresources.map((subresource) => ({
			path: `${at}/{name}/${subresource.name}`,
			parameters: inner,
			operations: subresourceOperations(context, subresource, prefix, scope),
		})),
	];
	const list = collection.find(({ action }) => action === "list");
	if (resource.namespaced && list !== undefined) {
		const everywhere = { ...list, id: `list${prefix}${kind.kind}ForAllNamespaces` };
		paths.unshift({ path: `${base}/${resource.plural}`, parameters: [pretty], operations: [everywhere] });
	}
	if (resource.verbs.includes("watch")) {
		const rest = at.slice(base.length);
		const list = (verb: string) => `${verb}List`;
		const everywhere = `${base}/watch/${resource.plural}`;
		if (resource.namespaced)
			paths.push(watchPath(everywhere, context, `watch${prefix}${kind.kind}ListForAllNamespaces`, [pretty]));
		paths.push(watchPath(`${base}/watch${rest}`, context, list(context.id("watch")), outer));
		paths.push(watchPath(`${base}/watch${rest}/{name}`, context, context.id("watch"), inner));
	}
	return paths.filter(({ operations }) => operations.length > 0);
}

/** The old way to watch: by a path of its own. */
function watchPath(path: string, { kind, names }: Context, id: string, parameters: readonly Parameter[]): Path {
	const one = path.endsWith("/{name}");
	const what = one ? `changes to an object of kind ${kind.kind}` : `individual changes to a list of ${kind.kind}`;
	const instead = one
		? "the 'watch' parameter with a list operation instead, filtered to a single item with the 'fieldSelector' parameter"
		: "the 'watch' parameter with a list operation instead";
	const operation: Operation = {
		method: "get",
		id,
		action: one ? "watch" : "watchlist",
		kind,
		description: `watch ${what}. deprecated: use ${instead}.`,
		parameters: [],
		codes: [200],
		answer: { definition: names.watchEvent },
	};
	return { path, parameters: [...selecting, ...parameters], operations: [operation] };
}

interface Context {
	returnsDeleted: boolean;
	kind: GroupVersionKind;
	verbs: ReadonlySet<string>;
	names: Names;
	/** @param part stands before the scope: `Collection` */
	id(verb: string, part?: string): string;
}

function collectionOperations({ kind, verbs, names, id }: Context): Operation[] {
	const { list, object, status, deleteOptions } = names;
	const operations: Operation[] = [];
	if (verbs.has("list") && list !== undefined)
		operations.push({
			method: "get",
			id: id("list"),
			action: "list",
			kind,
			description: `list or watch objects of kind ${kind.kind}`,
			parameters: selecting,
			codes: [200],
			answer: { definition: list },
		});
	if (verbs.has("create"))
		operations.push({
			method: "post",
			id: id("create"),
			action: "post",
			kind,
			description: `create a ${kind.kind}`,
			parameters: [dryRun, fieldManager, fieldValidation],
			body: { definition: object },
			codes: [200, 201, 202],
			answer: { definition: object },
		});
	if (verbs.has("deletecollection"))
		operations.push({
			method: "delete",
			id: id("delete", "Collection"),
			action: "deletecollection",
			kind,
			description: `delete collection of ${kind.kind}`,
			parameters: [...selecting.filter(({ name }) => !/watch|initial/i.test(name)), ...deleting],
			body: { definition: deleteOptions, optional: true },
			codes: [200],
			answer: { definition: status },
		});
	return operations;
}

function objectOperations(context: Context): Operation[] {
	const { kind, verbs, names } = context;
	if (names.list === undefined) return [];
	const operations = changingOperations(context, names.object, `the specified ${kind.kind}`);
	if (verbs.has("delete"))
		operations.push({
			method: "delete",
			id: context.id("delete"),
			action: "delete",
			kind,
			description: `delete a ${kind.kind}`,
			parameters: deleting,
			body: { definition: names.deleteOptions, optional: true },
			codes: [200, 202],
			answer: { definition: context.returnsDeleted ? names.object : names.status },
		});
	return operations;
}

/** Read, replace and patch of an object or a part of it. */
function changingOperations({ kind, verbs, names, id }: Context, object: string, what: string): Operation[] {
	const shared = { kind, answer: { definition: object } };
	const operations: Operation[] = [];
	if (verbs.has("get"))
		operations.push({
			...shared,
			method: "get",
			id: id("read"),
			action: "get",
			description: `read ${what}`,
			parameters: [],
			codes: [200],
		});
	if (verbs.has("update"))
		operations.push({
			...shared,
			method: "put",
			id: id("replace"),
			action: "put",
			description: `replace ${what}`,
			parameters: [dryRun, fieldManager, fieldValidation],
			body: { definition: object },
			codes: [200, 201],
		});
	if (verbs.has("patch"))
		operations.push({
			...shared,
			method: "patch",
			id: id("patch"),
			action: "patch",
			description: `partially update ${what}`,
			parameters: [dryRun, fieldManager, fieldValidation, force],
			body: { definition: names.patch, patch: true },
			codes: [200, 201],
		});
	return operations;
}

function subresourceOperations(parent: Context, subresource: Subresource, prefix: string, scope: string): Operation[] {
	const { kind: owner, names } = parent;
	const kind = {
		group: subresource.group ?? owner.group,
		kind: subresource.kind,
		version: subresource.version ?? owner.version,
	};
	const suffix = subresource.name[0]?.toUpperCase() + subresource.name.slice(1);
	const id = (verb: string) => `${verb}${prefix}${scope}${owner.kind}${suffix}`;
	const what = `${subresource.name} of the specified ${owner.kind}`;
	const object = names.subresource(subresource);
	if (subresource.name === "log") {
		const shared = { parameters: [], kind, codes: [200], answer: "text" as const };
		return [{ ...shared, method: "get", id: id("read"), action: "get", description: `read ${what}` }];
	}
	if (object === undefined) return connectOperations({ prefix, scope, owner, suffix, what, kind }, subresource.verbs);
	const operations = changingOperations(
		{ returnsDeleted: false, kind, names, verbs: new Set(subresource.verbs), id },
		object,
		what,
	);
	if (subresource.verbs.includes("create"))
		operations.push({
			method: "post",
			id: id("create"),
			action: "post",
			kind,
			description: `create ${what}`,
			parameters: [dryRun, fieldManager, fieldValidation],
			body: { definition: object },
			codes: [200, 201, 202],
			answer: { definition: object },
		});
	return operations;
}

interface Connection {
	prefix: string;
	scope: string;
	owner: GroupVersionKind;
	suffix: string;
	what: string;
	kind: GroupVersionKind;
}

/** Streams and proxies: the method decides nothing but the name. */
function connectOperations(
	{ prefix, scope, owner, suffix, what, kind }: Connection,
	verbs: readonly string[],
): Operation[] {
	const methods = { get: "Get", create: "Post", update: "Put", patch: "Patch", delete: "Delete" };
	return Object.entries(methods).flatMap(([verb, name]): Operation[] => {
		if (!verbs.includes(verb)) return [];
		// Each name is that of a method, in lower case.
		const method = name.toLowerCase() as Operation["method"];
		const connect = `connect${prefix}${name}${scope}${owner.kind}${suffix}`;
		const description = `connect to ${what}`;
		return [
			{ method, id: connect, action: "connect", kind, description, parameters: [], codes: [200], answer: "text" },
		];
	});
}
