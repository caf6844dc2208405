/** Expressions of admission: what they may name, and what is wrong with them. */
import {
	authorizerType,
	boolType,
	dynType,
	Environment,
	type Field,
	listType,
	mapType,
	objectType,
	type Program,
	patchFunctions,
	resourceCheckType,
	sameType,
	stringType,
	type Type,
	typeText,
} from "../../core/cel/cel.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";

/** An object with these fields and no others. */
function record(name: string, fields: Readonly<Record<string, Type>>): Type {
	const declared = new Map(Object.entries(fields).map(([key, type]): [string, Field] => [key, { key, type }]));
	return objectType(name, { field: (field) => declared.get(field) });
}

const groupVersionKind = record("kubernetes.GroupVersionKind", {
	group: stringType,
	version: stringType,
	kind: stringType,
});
const groupVersionResource = record("kubernetes.GroupVersionResource", {
	group: stringType,
	version: stringType,
	resource: stringType,
});
const userInfo = record("kubernetes.UserInfo", {
	username: stringType,
	uid: stringType,
	groups: listType(stringType),
	extra: mapType(stringType, listType(stringType)),
});

/** `admission.k8s.io/v1 AdmissionRequest`, without its objects, which are variables of their own. */
const requestType = record("kubernetes.AdmissionRequest", {
	kind: groupVersionKind,
	resource: groupVersionResource,
	subResource: stringType,
	requestKind: groupVersionKind,
	requestResource: groupVersionResource,
	requestSubResource: stringType,
	name: stringType,
	namespace: stringType,
	operation: stringType,
	userInfo,
	dryRun: boolType,
	options: dynType,
});

/** What expressions may see of the namespace of an object. */
const namespaceType = record("kubernetes.Namespace", {
	metadata: record("kubernetes.NamespaceMetadata", {
		name: stringType,
		generateName: stringType,
		namespace: stringType,
		labels: mapType(stringType, stringType),
		annotations: mapType(stringType, stringType),
		UID: stringType,
		creationTimestamp: stringType,
		deletionGracePeriodSeconds: dynType,
		deletionTimestamp: stringType,
		generation: dynType,
		resourceVersion: stringType,
		finalizers: listType(stringType),
	}),
	spec: record("kubernetes.NamespaceSpec", { finalizers: listType(stringType) }),
	status: record("kubernetes.NamespaceStatus", { phase: stringType }),
});

export interface Scope {
	/** `params` of a policy that has them. */
	hasParams: boolean;
	/** Messages are made without asking for permissions. */
	hasAuthorizer: boolean;
	/** Mutations may make objects: `Object{…}` and `JSONPatch{…}`. */
	makesObjects?: boolean;
	/** Types of the variables that a policy has defined so far, by name. */
	variables?: ReadonlyMap<string, Type>;
	/** Types of the objects and the parameters; they may be anything where absent. */
	types?: { object: Type; params?: Type };
}

const environments = new Map<string, Environment>();

/** The environment of expressions of admission in v1.36. */
export function admissionEnvironment(scope: Scope): Environment {
	const { hasParams, hasAuthorizer, makesObjects = false, variables, types } = scope;
	if (variables !== undefined || types !== undefined) return environment(scope);
	// Policies without variables share theirs.
	const key = `${hasParams} ${hasAuthorizer} ${makesObjects}`;
	let shared = environments.get(key);
	if (shared === undefined) {
		shared = environment(scope);
		environments.set(key, shared);
	}
	return shared;
}

function environment({ hasParams, hasAuthorizer, makesObjects, variables: composed, types }: Scope): Environment {
	const variables: Record<string, Type> = {
		object: types?.object ?? dynType,
		oldObject: types?.object ?? dynType,
		request: requestType,
		namespaceObject: namespaceType,
	};
	if (hasParams) variables["params"] = types?.params ?? dynType;
	if (hasAuthorizer) {
		variables["authorizer"] = authorizerType;
		variables["authorizer.requestResource"] = resourceCheckType;
	}
	if (composed !== undefined)
		variables["variables"] = objectType("kubernetes.variables", {
			field(name) {
				const type = composed.get(name);
				return type && { key: name, type };
			},
		});
	return new Environment(makesObjects ? { variables, objectType: madeType, functions: patchFunctions } : { variables });
}

/** An operation of a JSON patch, as expressions make it. */
export const jsonPatchType = record("JSONPatch", {
	op: stringType,
	path: stringType,
	from: stringType,
	value: dynType,
});

/** The root of what an expression lays over an object: its parts are `Object.spec`, `Object.spec.template`, …. */
export const rootObjectType = anyObject("Object");

function anyObject(name: string): Type {
	return objectType(name, { field: (key) => ({ key, type: dynType }) });
}

function madeType(name: string): Type | undefined {
	if (name === "JSONPatch") return jsonPatchType;
	if (name === "Object") return rootObjectType;
	return name.startsWith("Object.") ? anyObject(name) : undefined;
}

/** @returns the program, or what is wrong with the expression in upstream's words */
export function compileExpression(
	expression: string,
	scope: Scope,
	results: readonly Type[] | undefined,
): { program: Program } | { problem: string } {
	const compiled = admissionEnvironment(scope).compile(expression);
	if ("refusal" in compiled) return { problem: `compilation failed: ${compiled.refusal.text}` };
	const { program } = compiled;
	const { type } = program;
	if (results === undefined || results.some((result) => sameType(type, result))) return { program };
	const wanted = results.map(typeText);
	const what = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(" ")}]`;
	return { problem: `must evaluate to ${what} but got ${typeText(type)}` };
}

/** What is wrong with an expression. @param results types that it may have; undefined for any */
export function expressionCauses(
	expression: string,
	path: string,
	scope: Scope,
	results: readonly Type[] | undefined,
): Cause[] {
	if (expression.trim() === "") return [required(path, "expression is not specified")];
	const compiled = compileExpression(expression, scope, results);
	return "problem" in compiled ? [invalidValue(path, expression, compiled.problem)] : [];
}
