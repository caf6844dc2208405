/**
 * A kind, described once. The server, the client and the CLI read the same description; a custom
 * resource is a Kind created at run time.
 */
import type { Cause } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Decoded, DecodeOptions } from "./decode.ts";
import type { DescribedType } from "./described-types.ts";
import type { Schemas } from "./type-schema.ts";

/** A printer column of `kubectl get`, as in `meta.k8s.io/v1 TableColumnDefinition`. */
export interface Column<T extends KubeObject> {
	name: string;
	type: "string" | "integer" | "boolean" | "date" | "number";
	/** `name`, `date-time`, …; how clients interpret the cells. */
	format?: string;
	description: string;
	/** 0: always shown; higher: only with `-o wide`. */
	priority: number;
	/**
	 * @param nowMs for ages
	 * @returns a string, number or boolean, or null for no value, as upstream
	 */
	cell(object: T, nowMs: number): string | number | boolean | null;
}

/** Paths of the scale subresource's fields, such as `.spec.replicas`. */
export interface ScalePaths {
	specReplicas: string;
	statusReplicas: string;
	/** Path of a label selector (an object or its string form). */
	selector?: string;
}

/** A field that `fieldSelector` may name, such as `spec.nodeName`. */
export interface SelectableField<T extends KubeObject> {
	path: string;
	value(object: T): string;
}

export interface KindNames {
	/** Empty for the core group. */
	group: string;
	version: string;
	kind: string;
	plural: string;
}

export interface Kind<T extends KubeObject = KubeObject> extends KindNames {
	singular: string;
	/** Kind of lists. Default: the kind with `List`. */
	listKind?: string;
	shortNames: readonly string[];
	/** Categories such as `all`. */
	categories: readonly string[];
	namespaced: boolean;
	/** Name of its type, such as `Deployment`. */
	schema: string;
	/** Types of its own, in addition to those that every API server has. */
	types?: Readonly<Record<string, DescribedType>>;
	/** Like `types`, for kinds that create their types on demand. */
	schemas?: Schemas;
	subresources: {
		/** `status` is a subresource; absent: one write changes everything. */
		status?: true;
		scale?: ScalePaths;
	};
	/** Whether `metadata.generation` counts changes of anything except metadata and status. */
	hasGeneration: boolean;
	/** Names must be DNS labels, DNS subdomains, or path segments (RBAC); upstream's rule for the kind. */
	nameRule: "dnsSubdomain" | "dnsLabel" | "pathSegment";
	/**
	 * The cluster itself writes these objects, without the verbs; clients only get, list and watch them. Default false.
	 */
	readOnly?: true;
	/** How long after its last write an object is removed; undefined: never. */
	ttlMs?: number;
	/** The response to a deletion is the deleted object instead of a Status. */
	returnsDeleted?: true;
	/** Objects can only be deleted one by one: there is no verb deletecollection. */
	deletedOneByOne?: true;
	/** There are no strategic merge patches, because the merge keys of lists are unknown. */
	withoutStrategicMerge?: true;
	/** Finalizers need not name a domain. */
	finalizersOfAnyName?: true;
	/** An object is replaced only by one that names the resourceVersion which it replaces. */
	replacesOnlyKnown?: true;
	/** The stored JSON escapes `&`, `<`, `>` and line separators in strings, like Go. */
	escapesJson?: true;
	/** The object of stored JSON, where parts of it are parsed when they are read. Default: JSON.parse. */
	parseStored?(json: Buffer): KubeObject;
	/** Fields that `fieldSelector` may name in addition to metadata.name and metadata.namespace. */
	selectableFields: readonly SelectableField<T>[];
	columns: readonly Column<T>[];

	/**
	 * Creates an object of the kind from a client's value, including defaults, if the types alone do not determine that.
	 */
	decode?(value: Record<string, unknown>, options: DecodeOptions): Decoded;
	/** Fills in defaults, in place, after decoding and when older objects are read. */
	setDefaults?(object: T): void;
	/** Before a create: drops status and everything that a client may not set. In place. `now` is RFC 3339. */
	prepareForCreate?(object: T, context: { now: string; requester: User }): void;
	/** Before an update of the main resource: restores fields that a client may not change. In place. */
	prepareForUpdate?(object: T, old: T, context: { now: string }): void;
	/** Before an update of the status subresource: everything except status was already taken from `old`. */
	prepareForStatusUpdate?(object: T, old: T, context: { now: string }): void;
	/**
	 * The problems of an object, with field paths. The schema was checked before.
	 * @param old the object before an update
	 */
	validate?(object: T, old?: T): Cause[];
	/** The problems of a change, in addition to `validate`: for example immutable fields. */
	validateUpdate?(object: T, old: T): Cause[];
	validateStatusUpdate?(object: T, old: T): Cause[];
	/** Warnings for the `Warning` header on create and update. */
	warnings?(object: T, old?: T): string[];
	/**
	 * How long a deletion waits for the object's agent if the client does not specify it: Pod's
	 * terminationGracePeriodSeconds. Undefined: not at all.
	 */
	gracePeriodSeconds?(object: T, requestedSeconds: number | undefined): number | undefined;
	/**
	 * What keeps a deleted object besides finalizers and the grace period: a namespace's finalizers in its spec. Default:
	 * nothing.
	 */
	isHeld?(object: T): boolean;
	/** Marks the object, in place, as being deleted. Default: sets its deletionGracePeriodSeconds. */
	markDeleted?(object: T): void;
	/** The default propagation policy of a deletion; upstream's oldest kinds orphan dependents. Default: Background. */
	defaultPropagation?: "Background" | "Orphan";
	/** Warning for a deletion without a propagation policy. */
	deletionWarning?: string;
	/** A `Warning` header for every request: the whole kind is deprecated, but still served. */
	deprecation?: string;
	/** Older and parallel versions that are served and converted: `extensions/v1beta1`, `events.k8s.io/v1`. */
	servedAs?: readonly ServedVersion[];
	/** What is otherwise than with built-in kinds: the kind is made of a CustomResourceDefinition, for one version. */
	custom?: CustomForm;
}

/** How objects of a custom resource are stored. */
export interface CustomForm {
	/** The version in which objects are stored now: `v1`. Stored ones may still be in any other of the definition. */
	storageVersion: string;
	/** The definition is being deleted, and no more objects are made. */
	isTerminating(): boolean;
	/** The JSON schema of the version, for OpenAPI; undefined: there is none. */
	jsonSchema(): Readonly<Record<string, unknown>> | undefined;
	/**
	 * A stored object as its own version has it today: without what the schema lacks by now, and with defaults that it has
	 * got since. The very same where nothing changes.
	 */
	refresh(object: KubeObject): KubeObject;
	/** An object of this version without what its schema lacks; the very same where nothing changes. */
	prune(object: KubeObject): KubeObject;
	/** @throws Error, or in the promise, when a webhook does not convert them */
	convert(objects: readonly KubeObject[], apiVersion: string): readonly KubeObject[] | Promise<readonly KubeObject[]>;
}

/** Another group and version under which a kind is served. */
export interface ServedVersion {
	group: string;
	version: string;
	/** Type in the generated schemas if it is not the kind's own. */
	schema?: string;
	/** The version as a kind by itself: a version of a custom resource has columns, subresources and rules of its own. */
	as?: Kind;
	/** A `Warning` header that names the current version; undefined for versions that are not deprecated. */
	deprecation?: string;
	/**
	 * Every field that `fieldSelector` may name in this version → its path in the kind's own; undefined: those of the
	 * kind, with the same paths.
	 */
	selectableFields?: Readonly<Record<string, string>>;
	/** Requirements of this version for an object in its stored form, in addition to the kind's. */
	validate?(object: KubeObject, old?: KubeObject): Cause[];
	/** Converts a decoded object of this version to the stored one, in place. */
	toStorage(object: KubeObject): void;
	fromStorage(object: KubeObject): void;
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(names: Pick<KindNames, "group" | "version">): string {
	return names.group === "" ? names.version : `${names.group}/${names.version}`;
}

/** `deployments.apps`, or `pods` for the core group. */
export function qualifiedResource(names: Pick<KindNames, "group" | "plural">): string {
	return names.group === "" ? names.plural : `${names.plural}.${names.group}`;
}
