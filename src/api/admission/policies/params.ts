/** The parameters with which a policy is evaluated for a binding. */
import type { KubeObject } from "../../../core/object.ts";
import { selectorFrom } from "../../../core/selection/selector.ts";
import type { Lookup } from "../../../kinds/engine/registry.ts";
import type { ParamKind, ParamRef } from "../../../kinds/generated/types.ts";
import type { Cached } from "../../cache/cached.ts";
import { keyPrefix, objectKey } from "../../cache/keys.ts";
import { servedForms } from "../../resources/forms.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { inVersion } from "../dynamic/admission-request.ts";

/** A policy or binding is invalid; its failure policy applies. The message is upstream's. */
export class ConfigurationError extends Error {}

/** @throws ConfigurationError if there is no such kind */
export function paramKindOf({ server }: AdmissionAttributes, { apiVersion = "", kind = "" }: ParamKind): Lookup {
	const found = server.registry.kind(apiVersion, kind);
	if (found === undefined)
		throw new ConfigurationError(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`);
	return found;
}

/**
 * @returns null for an evaluation without parameters; nothing where the binding lets requests without parameters pass;
 *   a promise where a webhook has to convert custom resources to the version that the policy names
 * @throws ConfigurationError; ApiError, or in the promise, of the conversion
 */
export function paramsOf(
	request: AdmissionAttributes,
	lookup: Lookup | undefined,
	ref: ParamRef | undefined,
): readonly (KubeObject | null)[] | Promise<readonly KubeObject[]> {
	if (lookup === undefined || ref === undefined) return [null];
	const namespace = namespaceOf(request, lookup, ref);
	const found = objectsOf(request, lookup, namespace, ref);
	if (found.length === 0 && ref.parameterNotFoundAction === "Deny")
		throw new ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction");
	const { kind, served } = lookup;
	if (served !== undefined) return found.map(({ object }) => inVersion(kind, served, object));
	const objects = (all: readonly Cached[]) => all.map(({ object }) => object);
	const forms = servedForms(kind, found);
	return forms instanceof Promise ? forms.then(objects) : objects(forms);
}

function namespaceOf({ namespace }: AdmissionAttributes, { kind }: Lookup, ref: ParamRef): string | undefined {
	const given = ref.namespace ?? "";
	if (!kind.namespaced) {
		if (given === "") return undefined;
		throw new ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
	}
	if (given !== "") return given;
	if (namespace !== undefined) return namespace;
	throw new ConfigurationError(
		"cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
	);
}

function objectsOf(
	{ server }: AdmissionAttributes,
	{ kind }: Lookup,
	namespace: string | undefined,
	{ name = "", selector }: ParamRef,
): Cached[] {
	const objects = server.cache.resource(kind);
	if (name !== "") {
		const found = objects.get(objectKey(kind, namespace, name));
		return found === undefined ? [] : [found];
	}
	const chosen = selectorFrom(selector);
	return [...objects.range(keyPrefix(kind, namespace))].filter(({ object }) => chosen.matches(object.metadata.labels));
}
