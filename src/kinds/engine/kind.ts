/**
 * A kind, described once. The server, the client, the CLI and the dashboard all read the same description; a custom
 * resource is a Kind made at run time.
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
	/** `name`, `date-time`, …; how clients may read the cells. */
	format?: string;
	description: string;
	/** 0: always; higher: only with `-o wide`. */
	priority: number;
	/** @param nowMs for ages; cells are strings, numbers, booleans, or null for no value, as upstream prints them */
	cell(object: T, nowMs: number): string | number | boolean | null;
}

/** Where the scale subresource finds things, as paths like `.spec.replicas`. */
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
	shortNames: readonly string[];
	/** Categories such as `all`. */
	categories: readonly string[];
	namespaced: boolean;
	/** Name of its type, such as `Deployment`. */
	schema: string;
	/** Types of its own, besides those that every API server knows. */
	types?: Readonly<Record<string, DescribedType>>;
	/** As `types`, for kinds that make their types when someone asks for them. */
	schemas?: Schemas;
	subresources: {
		/** `status` is written apart from the rest; absent: one write does all. */
		status?: true;
		scale?: ScalePaths;
	};
	/** Whether `metadata.generation` counts changes of anything but metadata and status. */
	hasGeneration: boolean;
	/** Names must be DNS labels or subdomains, or path segments (RBAC); upstream's rule for the kind. */
	nameRule: "dnsSubdomain" | "dnsLabel" | "pathSegment";
	/**
	 * The cluster itself writes such objects, past the verbs, and clients only get, list and watch them. Default false.
	 */
	readOnly?: true;
	/** How long after its last write an object is removed; undefined: it stays until it is deleted. */
	ttlMs?: number;
	/** A deletion is answered with the object that is gone, where others are answered with a Status. */
	returnsDeleted?: true;
	/** Objects are deleted one by one only: there is no verb deletecollection. */
	deletedOneByOne?: true;
	/** How lists merge is not known, so there are no strategic merge patches. */
	withoutStrategicMerge?: true;
	/** The stored JSON is written as Go writes it: `&`, `<`, `>` and line separators in strings are escaped. */
	escapesJson?: true;
	/** Fields that `fieldSelector` may name besides metadata.name and metadata.namespace. */
	selectableFields: readonly SelectableField<T>[];
	columns: readonly Column<T>[];

	/**
	 * Makes an object of the kind from what a client sent, defaults included, where the types do not say all about that.
	 */
	decode?(value: Record<string, unknown>, options: DecodeOptions): Decoded;
	/** Fills in defaults, in place, after decoding and on reads of older objects. */
	setDefaults?(object: T): void;
	/** Before a create: drops status and whatever a client may not set. In place. `now` is RFC 3339. */
	prepareForCreate?(object: T, context: { now: string; requester: User }): void;
	/** Before an update of the main resource: restores what a client may not change. In place. */
	prepareForUpdate?(object: T, old: T): void;
	/** Before an update of the status subresource: everything but status is taken from `old` already. */
	prepareForStatusUpdate?(object: T, old: T, context: { now: string }): void;
	/**
	 * What is wrong with an object, with field paths. The schema was checked before.
	 * @param old before an update
	 */
	validate?(object: T, old?: T): Cause[];
	/** What is wrong with the change from `old`, besides `validate`: for example immutable fields. */
	validateUpdate?(object: T, old: T): Cause[];
	validateStatusUpdate?(object: T, old: T): Cause[];
	/** Warnings for the `Warning` header on create and update. */
	warnings?(object: T, old?: T): string[];
	/**
	 * How long a deletion waits for the object's agent, when the client does not say: Pod's
	 * terminationGracePeriodSeconds. Undefined: at once.
	 */
	gracePeriodSeconds?(object: T, requestedSeconds: number | undefined): number | undefined;
	/**
	 * What keeps a deleted object besides finalizers and grace: a namespace's finalizers in its spec. Default: nothing.
	 */
	isHeld?(object: T): boolean;
	/** Says in place, in the kind's own way, that the object is being deleted. Default: its deletionGracePeriodSeconds. */
	markDeleted?(object: T): void;
	/** The default propagation policy of a deletion; upstream's oldest kinds orphan dependents. Default: Background. */
	defaultPropagation?: "Background" | "Orphan";
	/** Warning for a deletion without a propagation policy. */
	deletionWarning?: string;
	/** A `Warning` header for every request: the whole kind is deprecated, but still served. */
	deprecation?: string;
	/** Older and parallel versions that are served and converted: `extensions/v1beta1`, `events.k8s.io/v1`. */
	servedAs?: readonly ServedVersion[];
}

/** Another group and version under which a kind is served. */
export interface ServedVersion {
	group: string;
	version: string;
	/** Type in the generated schemas when it is not the kind's own. */
	schema?: string;
	/** A `Warning` header that names the current version; undefined for versions that are current themselves. */
	deprecation?: string;
	/**
	 * Every field that `fieldSelector` may name in this version → its path in the kind's own; undefined: those of the
	 * kind, by the same paths.
	 */
	selectableFields?: Readonly<Record<string, string>>;
	/** What this version asks of an object, in its stored form, beyond what the kind asks. */
	validate?(object: KubeObject, old?: KubeObject): Cause[];
	/** Changes a decoded object of this version into the stored one, in place. */
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
