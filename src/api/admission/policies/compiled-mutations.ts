/** A compiled MutatingAdmissionPolicy. */
import { Failure, jsonOf, listType, MadeObject } from "../../../core/cel/cel.ts";
import { isRecord, type KubeObject } from "../../../core/object.ts";
import { patchProblem } from "../../../core/patches/errors.ts";
import { applyJsonPatch } from "../../../core/patches/json-patch.ts";
import { mergeConfiguration } from "../../../core/patches/server-side-apply.ts";
import { jsonPatchType, rootObjectType } from "../../../kinds/admissionregistration/expressions.ts";
import type { Schemas } from "../../../kinds/engine/type-schema.ts";
import type { MutatingAdmissionPolicy } from "../../../kinds/generated/types.ts";
import type { Activation } from "../dynamic/activation.ts";
import { compileConditions } from "../dynamic/conditions.ts";
import { type Compiled, Composition, compiled, withParams } from "./composition.ts";

/** The type of objects, by its name in the schemas. */
export interface ObjectType {
	schema: string;
	schemas: Schemas;
}

interface CompiledMutation {
	isJsonPatch: boolean;
	expression: Compiled;
}

export class CompiledMutations {
	readonly #conditions;
	readonly #composition: Composition;
	readonly #mutations: readonly CompiledMutation[];
	readonly failsOpen: boolean;
	readonly isReinvocable: boolean;

	constructor({ spec }: MutatingAdmissionPolicy) {
		const hasParams = spec.paramKind !== undefined;
		this.failsOpen = spec.failurePolicy === "Ignore";
		this.isReinvocable = spec.reinvocationPolicy === "IfNeeded";
		this.#conditions = compileConditions(spec.matchConditions, hasParams);
		this.#composition = new Composition(hasParams, spec.variables, true);
		const { scope } = this.#composition;
		this.#mutations = (spec.mutations ?? []).map(({ patchType, jsonPatch, applyConfiguration }) => {
			const isJsonPatch = patchType === "JSONPatch";
			const expression = (isJsonPatch ? jsonPatch : applyConfiguration)?.expression ?? "";
			const result = isJsonPatch ? listType(jsonPatchType) : rootObjectType;
			return { isJsonPatch, expression: compiled(expression, scope, [result]) };
		});
	}

	/** Whether the policy's conditions hold. @throws Error if they cannot be evaluated */
	applies(request: Activation, params: unknown): boolean {
		const outcome = this.#conditions?.(withParams(request, params));
		if (outcome?.error !== undefined) throw new Error(outcome.error);
		return outcome?.matches ?? true;
	}

	get count(): number {
		return this.#mutations.length;
	}

	/**
	 * Applies one of the mutations to an object.
	 * @param request whose object is this one
	 * @param params null for none
	 * @throws Error with the reason if that fails
	 */
	mutated(index: number, object: KubeObject, type: ObjectType, request: Activation, params: unknown): unknown {
		const mutation = this.#mutations[index];
		if (mutation === undefined) return object;
		const { isJsonPatch, expression } = mutation;
		if (typeof expression === "string") throw new Error(expression);
		const { value, error } = this.#composition.begin(withParams(request, params)).of(expression);
		if (error !== undefined) throw new Error(error);
		return isJsonPatch ? patched(object, value) : merged(object, value, type);
	}
}

function patched(object: KubeObject, value: unknown): unknown {
	if (!Array.isArray(value)) throw new Error("type mismatch: JSONPatchType.expression should evaluate to array");
	const operations = value.map((operation) => {
		if (!(operation instanceof MadeObject) || operation.typeName !== "JSONPatch")
			throw new Error("type mismatch: JSONPatch.expression must evaluate to a list of JSONPatch objects");
		return asJson(operation);
	});
	try {
		return applyJsonPatch(object, operations);
	} catch (error) {
		throw new Error(`JSON Patch: ${patchProblem(error)}`);
	}
}

function merged(object: KubeObject, value: unknown, { schema, schemas }: ObjectType): unknown {
	if (!(value instanceof MadeObject) || value.typeName !== "Object")
		throw new Error("type mismatch: ApplyConfiguration.expression must evaluate to Object");
	// First: it finds out whether the value has an end.
	const config = asJson(value);
	checkNames(value, "Object");
	if (!isRecord(config)) throw new Error("invalid ApplyConfiguration: not an object");
	return mergeConfiguration(object, config, schema, schemas);
}

/** @throws Error for values that JSON cannot represent */
function asJson(value: unknown): unknown {
	try {
		return jsonOf(value);
	} catch (error) {
		throw error instanceof Failure ? new Error(error.message) : error;
	}
}

/** Objects in an object are made under the name of the place where they stand. */
function checkNames({ typeName, fields }: MadeObject, expected: string): void {
	if (typeName !== expected)
		throw new Error(
			`unexpected type name ${JSON.stringify(typeName)}, expected ${JSON.stringify(expected)}, which matches field name path from root Object type`,
		);
	for (const [name, value] of Object.entries(fields))
		for (const part of Array.isArray(value) ? value : [value])
			if (part instanceof MadeObject) checkNames(part, `${expected}.${name}`);
}
