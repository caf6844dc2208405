/** One attempt of a write, as admission and the phases that settle it see it. */
import type { Cause } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Target } from "../resources/target.ts";
import type { AdmissionAttributes, Context } from "../server/server.ts";

/** What an update of a resource, or of one of its subresources, may change, and what must hold afterwards. */
export interface Strategy {
	/** Whether `prepare` keeps a field as it is, whatever was sent; absent: it has to be asked. */
	keeps?(field: string): boolean;
	/** Brings the sent object, whose metadata is settled, and the old one together, in place. */
	prepare(object: KubeObject, old: KubeObject): void;
	validate(object: KubeObject, old: KubeObject): Cause[];
}

export interface Write extends AdmissionAttributes {
	/** Of a new object, known when it has been generated. */
	name: string;
	readonly context: Context;
	readonly target: Target;
	readonly nowMs: number;
	/** Of an update. */
	readonly strategy: Strategy | undefined;
	/** As the client sent them. */
	readonly managedFields: KubeObject["metadata"]["managedFields"];
	/** Those that were sent are the ones to be kept (server-side apply). */
	readonly ownsManagedFields: boolean;
}

export interface WriteParts {
	operation: AdmissionAttributes["operation"];
	object: KubeObject;
	old: KubeObject | undefined;
	strategy?: Strategy | undefined;
	ownsManagedFields?: boolean | undefined;
}

/** The only place where a write is described to admission. */
export function writeOf(context: Context, target: Target, parts: WriteParts): Write {
	const { server, user, warnings, audit } = context;
	const { kind, namespace, name, subresource } = target;
	const { operation, object, old, strategy, ownsManagedFields = false } = parts;
	const { metadata } = object;
	return {
		server,
		user,
		operation,
		kind,
		namespace: kind.namespaced ? namespace : undefined,
		name: (operation === "create" && subresource === undefined ? metadata.name : name) ?? "",
		subresource,
		object,
		old,
		companions: { claims: [], releases: [] },
		warnings,
		audit,
		context,
		target,
		nowMs: server.clock.now(),
		strategy,
		managedFields: metadata.managedFields,
		ownsManagedFields,
	};
}

/** What was there before an update. */
export function before({ old, kind, name }: Pick<Write, "old" | "kind" | "name">): KubeObject {
	if (old === undefined) throw new Error(`${kind.kind} ${name}: an update of nothing`);
	return old;
}
