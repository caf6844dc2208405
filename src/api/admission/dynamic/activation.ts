/** Evaluates expressions of admission: the variables that they may name, and what they may cost. */
import {
	type AccessAnswer,
	type AccessQuestion,
	Authorizer,
	type Outcome,
	type Program,
	ResourceCheck,
} from "../../../core/cel/cel.ts";
import type { User } from "../../../core/exchange.ts";
import type { KubeObject } from "../../../core/object.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import { serviceAccountGroups } from "../../credentials/tokens.ts";
import type { Attributes } from "../../request/authorizer.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { describedRequest, objectsOf } from "./admission-request.ts";
import type { Invocation } from "./matching.ts";

/** The cost limit of all expressions of a policy, or all conditions of a webhook (RuntimeCELCostBudget upstream). */
export const policyBudget = 10_000_000;
export const conditionsBudget = 2_500_000;
const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";

/** Variables by name; `params` and `variables` are added by policies. */
export type Activation = Readonly<Record<string, unknown>>;

/** The variables of a request, each created when an expression first uses it. */
export function activationOf(request: AdmissionAttributes, invocation: Invocation): Activation {
	let objects: ReturnType<typeof objectsOf> | undefined;
	let described: ReturnType<typeof describedRequest> | undefined;
	const made = () => {
		objects ??= objectsOf(request, invocation, false);
		return objects;
	};
	return {
		get object() {
			return made().object;
		},
		get oldObject() {
			return made().oldObject;
		},
		get request() {
			described ??= describedRequest(request, invocation);
			return described;
		},
		get namespaceObject() {
			return namespaceOf(request);
		},
		get authorizer() {
			return new Authorizer((question) => answer(request, question));
		},
		get "authorizer.requestResource"() {
			const { kind, subresource, namespace, name } = request;
			const { group, plural } = request.served === undefined ? kind : { ...kind, ...request.served };
			return new ResourceCheck((question) => answer(request, question), {
				group,
				resource: plural,
				...(subresource !== undefined && { subresource }),
				...(namespace !== undefined && { namespace }),
				...(name !== "" && { name }),
			});
		},
	};
}

/** Null for what is in no namespace. */
function namespaceOf({ server, namespace }: AdmissionAttributes): KubeObject | null {
	return namespace === undefined ? null : (server.cache.find(namespaces, undefined, namespace) ?? null);
}

function answer({ server, user }: AdmissionAttributes, question: AccessQuestion): AccessAnswer {
	const decision = server.authorizer.authorize(attributesFor(serviceAccountUser(question) ?? user, question));
	if (decision instanceof Promise)
		return { allowed: false, reason: "", error: "the decision takes longer than a check" };
	return { allowed: decision.verdict === "allow", reason: decision.reason };
}

function serviceAccountUser({ serviceAccount }: AccessQuestion): User | undefined {
	if (serviceAccount === undefined) return undefined;
	const { namespace, name } = serviceAccount;
	return { name: `system:serviceaccount:${namespace}:${name}`, groups: serviceAccountGroups(namespace) };
}

function attributesFor(user: User, question: AccessQuestion): Attributes {
	const { verb, path, group = "", resource, subresource, namespace, name, fieldSelector, labelSelector } = question;
	if (resource === undefined) return { user, verb, path: path ?? "" };
	return {
		user,
		verb,
		path: "",
		resource: {
			group,
			version: "*",
			plural: resource,
			...(subresource !== undefined && { subresource }),
			...(namespace !== undefined && { namespace }),
			...(name !== undefined && { name }),
			...(fieldSelector !== undefined && { fieldSelector }),
			...(labelSelector !== undefined && { labelSelector }),
		},
	};
}

/** Evaluates expressions one after the other, up to a total cost. */
export class Evaluation {
	#remaining: number;
	readonly #activation: Activation;

	constructor(activation: Activation, budget: number) {
		this.#activation = activation;
		this.#remaining = budget;
	}

	/** Errors are in upstream's words. */
	of(program: Program): Outcome {
		if (this.#remaining < 0) return { value: undefined, error: outOfBudget, cost: 0, limitExceeded: true };
		const outcome = program.evaluate(this.#activation);
		this.#remaining -= outcome.cost;
		if (outcome.error === undefined) {
			if (this.#remaining >= 0) return outcome;
			return { value: undefined, error: outOfBudget, cost: outcome.cost, limitExceeded: true };
		}
		return { ...outcome, error: `expression '${program.expression}' resulted in error: ${outcome.error}` };
	}
}
