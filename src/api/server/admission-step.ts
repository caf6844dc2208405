/** What a step of admission sees of a request, and what it may do about it. */
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { type Kind, qualifiedResource } from "../../kinds/engine/kind.ts";
import type { Server } from "./server.ts";

/** Writes that go along with an object's, or not at all: addresses taken and given back, quotas charged. */
export interface Companions {
	/** Keys that must not exist yet, and what they are to hold. */
	claims: { key: string; value: string }[];
	/** Keys that are to go. */
	releases: string[];
	/** Other objects that change, and the modRevision that each must have. They belong to the cache afterwards. */
	updates?: { key: string; expected: number; object: KubeObject }[];
}

export interface AdmissionAttributes {
	readonly server: Server;
	readonly user: User;
	readonly operation: "create" | "update" | "delete";
	readonly kind: Kind;
	readonly namespace: string | undefined;
	/** Empty for an object whose name is yet to be generated. */
	readonly name: string;
	readonly subresource: string | undefined;
	/** The object to be written, with its defaults; a step may change it. For a deletion, the object as it is. */
	readonly object: KubeObject;
	/** As it was before an update. */
	readonly old: KubeObject | undefined;
	/** Writes to go along with the object's. */
	readonly companions: Companions;
	readonly warnings: string[];
	/** Where notes for the audit log go; absent when the request is not recorded there. */
	readonly audit?: { annotate(name: string, value: string): void } | undefined;
}

export interface AdmissionStep {
	/** As upstream names its plugin. */
	readonly name: string;
	/** Taken only where the server's options name it (`ApiOptions.admissionPlugins`). */
	readonly isOptional?: true;
	/** Which requests it checks. */
	readonly on: {
		operations: readonly AdmissionAttributes["operation"][];
		/** All kinds when absent. */
		kinds?: readonly Pick<Kind, "group" | "plural">[];
		/** Also subresources. Default: only whole objects. */
		subresources?: true;
	};
	/**
	 * @returns undefined when it is done, a promise when it has to wait
	 * @throws ApiError when the request is not admitted
	 */
	admit(request: AdmissionAttributes): Promise<void> | undefined;
}

/** All steps of one server: those that are always taken, and the optional ones that it is to take. */
export interface Admission {
	/**
	 * Undefined if every step has completed; most never wait. @throws ApiError of the first step that rejects,
	 * synchronously or in the promise
	 */
	admit(request: AdmissionAttributes): Promise<void> | undefined;
	/** As `admit`. @throws ApiError when there is nothing left, or someone else has what was asked for */
	allocate(request: AdmissionAttributes): Promise<void> | undefined;
	/** As `admit`. */
	check(request: AdmissionAttributes): Promise<void> | undefined;
}

/** Upstream's answer of an admission plugin that refuses. */
export function refused(
	{ kind, name, object }: Pick<AdmissionAttributes, "kind" | "name" | "object">,
	why: string,
): ApiError {
	const shown = name === "" ? (object.metadata.generateName ?? "") : name;
	return new ApiError("Forbidden", `${qualifiedResource(kind)} "${shown}" is forbidden: ${why}`, {
		name: shown,
		...(kind.group === "" ? {} : { group: kind.group }),
		kind: kind.plural,
	});
}
