/** One attempt of a write, as the input of admission and of the phases. */
import type { Cause } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Target } from "../resources/target.ts";
import type { AdmissionAttributes, Context } from "../server/server.ts";
import { isDryRun } from "./options/write-options.ts";

/** Which fields an update of a resource, or of one of its subresources, may change, and what must hold afterwards. */
export interface Strategy {
	/** Whether `prepare` keeps the old value of a field; absent: it keeps none. */
	keeps?(field: string): boolean;
	/** Combines the sent object, whose metadata is settled, with the old one, in place. */
	prepare(object: KubeObject, old: KubeObject): void;
	validate(object: KubeObject, old: KubeObject): Cause[];
}

export interface Write extends AdmissionAttributes {
	/** For a create, known after it was generated. */
	name: string;
	readonly context: Context;
	readonly target: Target;
	readonly nowMs: number;
	/** Undefined unless it is an update. */
	readonly strategy: Strategy | undefined;
	/** As sent by the client. */
	readonly managedFields: KubeObject["metadata"]["managedFields"];
	/** The sent managedFields are stored as they are (server-side apply). */
	readonly ownsManagedFields: boolean;
}

export interface WriteParts {
	operation: AdmissionAttributes["operation"];
	object: KubeObject;
	old: KubeObject | undefined;
	strategy?: Strategy | undefined;
	ownsManagedFields?: boolean | undefined;
	sent?: KubeObject | undefined;
	/** Default: what the request says. */
	dryRun?: boolean | undefined;
}

/** Creates every write's description for admission. */
export function writeOf(context: Context, target: Target, parts: WriteParts): Write {
	const { server, user, warnings, audit } = context;
	const { kind, namespace, name, subresource } = target;
	const { operation, object, old, strategy, ownsManagedFields = false, sent } = parts;
	const { query } = context.request;
	const { metadata } = object;
	return {
		server,
		user,
		operation,
		verb: context.info.verb,
		kind,
		served: target.served,
		namespace: kind.namespaced ? namespace : undefined,
		name: (operation === "create" && subresource === undefined ? metadata.name : name) ?? "",
		subresource,
		object,
		old,
		sent,
		dryRun: parts.dryRun ?? isDryRun(query),
		query,
		signal: () => context.request.signal,
		reinvocation: undefined,
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

/** The old object of an update. */
export function before({ old, kind, name }: Pick<Write, "old" | "kind" | "name">): KubeObject {
	if (old === undefined) throw new Error(`${kind.kind} ${name}: an update of nothing`);
	return old;
}
