import { dnsLabelProblems, dnsSubdomainProblems } from "../../../validation/names.ts";
import { newListCost, newObjectCost, perCharacter } from "../../cost/factors.ts";
import { addRanges, fixed, type Range, scaleRange } from "../../cost/range.ts";
import { sizeOf } from "../../cost/size.ts";
import { boolType, objectType, stringType, type Type } from "../../types/type.ts";
import { fail } from "../../values/failure.ts";
import { LibraryValue } from "../../values/value.ts";
import { fixedCost } from "../costs.ts";
import { type FunctionDeclaration, member } from "../function.ts";

/** Checks of what a user may do: `authorizer.group('apps').resource('deployments').check('create').allowed()`. */

/** What an expression asks about. */
export interface AccessQuestion {
	readonly verb: string;
	/** Of requests that are for no resource. */
	readonly path?: string;
	readonly group?: string;
	readonly resource?: string;
	readonly subresource?: string;
	readonly namespace?: string;
	readonly name?: string;
	readonly fieldSelector?: string;
	readonly labelSelector?: string;
	/** Asked instead of the user of the request. */
	readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

export interface AccessAnswer {
	readonly allowed: boolean;
	readonly reason: string;
	/** Why it could not be decided. */
	readonly error?: string;
}

export type AnswerAccess = (question: AccessQuestion) => AccessAnswer;

type Asked = Omit<AccessQuestion, "verb">;

/** An authorizer, or a question that it will be asked, as far as it is put. Equal only to itself. */
abstract class Question extends LibraryValue {
	readonly answer: AnswerAccess;
	readonly asked: Asked;
	constructor(answer: AnswerAccess, asked: Asked = {}) {
		super();
		this.answer = answer;
		this.asked = asked;
	}
	equals(other: unknown): boolean {
		return other === this;
	}
	toString(): string {
		return this.typeName;
	}
}

/** The value of the variable `authorizer`. */
export class Authorizer extends Question {
	readonly typeName = "kubernetes.authorization.Authorizer";
}

class PathCheck extends Question {
	readonly typeName = "kubernetes.authorization.PathCheck";
}

class GroupCheck extends Question {
	readonly typeName = "kubernetes.authorization.GroupCheck";
}

/** The value of `authorizer.requestResource`, which asks about the resource of the request. */
export class ResourceCheck extends Question {
	readonly typeName = "kubernetes.authorization.ResourceCheck";
}

class Decision extends LibraryValue {
	readonly typeName = "kubernetes.authorization.Decision";
	readonly answer: AccessAnswer;
	constructor(answer: AccessAnswer) {
		super();
		this.answer = answer;
	}
	equals(other: unknown): boolean {
		return other === this;
	}
	toString(): string {
		return this.typeName;
	}
}

function named(name: string): Type {
	return objectType(`kubernetes.authorization.${name}`, { field: () => undefined });
}

export const authorizerType = named("Authorizer");
export const resourceCheckType = named("ResourceCheck");
const pathCheckType = named("PathCheck");
const groupCheckType = named("GroupCheck");
const decisionType = named("Decision");

export const authorizationTypes: readonly Type[] = [
	authorizerType,
	pathCheckType,
	groupCheckType,
	resourceCheckType,
	decisionType,
];

function pathCheck({ answer, asked }: Authorizer, path: string): PathCheck {
	if (path.trim() === "") fail("path must not be empty");
	return new PathCheck(answer, { path, serviceAccount: asked.serviceAccount });
}

function groupCheck({ answer, asked }: Authorizer, group: string): GroupCheck {
	return new GroupCheck(answer, { group, serviceAccount: asked.serviceAccount });
}

function serviceAccount({ answer }: Authorizer, namespace: string, name: string): Authorizer {
	if (dnsSubdomainProblems(name).length > 0) fail("Invalid service account name");
	if (dnsLabelProblems(namespace).length > 0) fail("Invalid service account namespace");
	return new Authorizer(answer, { serviceAccount: { namespace, name } });
}

function resourceCheck({ answer, asked }: GroupCheck, resource: string): ResourceCheck {
	if (resource.trim() === "") fail("resource must not be empty");
	return new ResourceCheck(answer, { group: asked.group, resource, serviceAccount: asked.serviceAccount });
}

/** Adds to a question about a resource. */
function refinement(name: "subresource" | "namespace" | "name", id: string): FunctionDeclaration {
	const run = ({ answer, asked }: ResourceCheck, value: string) =>
		new ResourceCheck(answer, { ...asked, [name]: value });
	return { name, ...cheap, overloads: [member(id, [resourceCheckType, stringType], resourceCheckType, run)] };
}

/** As `refinement`; the selector is read when the question is asked. */
function selector(name: "fieldSelector" | "labelSelector", id: string): FunctionDeclaration {
	const run = ({ answer, asked }: ResourceCheck, value: string) =>
		new ResourceCheck(answer, { ...asked, [name]: value });
	return {
		name,
		cost: { before: ([, text]) => selectorCost(fixed(sizeOf(text))).max },
		estimate: (_, [text]) => text && { cost: selectorCost(text.size) },
		overloads: [member(id, [resourceCheckType, stringType], resourceCheckType, run)],
	};
}

/** Of reading a selector: a requirement takes at least two characters. */
function selectorCost(size: Range): Range {
	const requirements = scaleRange(scaleRange(size, 0.5), newListCost + newObjectCost);
	return addRanges(fixed(newListCost), scaleRange(size, perCharacter), requirements);
}

function check({ answer, asked }: Question, verb: string): Decision {
	return new Decision(answer({ ...asked, verb }));
}

const cheap = fixedCost(1);
/** So much that an expression may ask twice. */
const checkCost = fixedCost(350_000);

function accessor(name: string, type: Type, run: (answer: AccessAnswer) => unknown): FunctionDeclaration {
	const of = ({ answer }: Decision) => run(answer);
	return { name, ...cheap, overloads: [member(`decision_${name}`, [decisionType], type, of)] };
}

export const authorization: readonly FunctionDeclaration[] = [
	{
		name: "path",
		...cheap,
		overloads: [member("authorizer_path", [authorizerType, stringType], pathCheckType, pathCheck)],
	},
	{
		name: "group",
		...cheap,
		overloads: [member("authorizer_group", [authorizerType, stringType], groupCheckType, groupCheck)],
	},
	{
		name: "serviceAccount",
		...cheap,
		overloads: [
			member("authorizer_serviceaccount", [authorizerType, stringType, stringType], authorizerType, serviceAccount),
		],
	},
	{
		name: "resource",
		...cheap,
		overloads: [member("groupcheck_resource", [groupCheckType, stringType], resourceCheckType, resourceCheck)],
	},
	refinement("subresource", "resourcecheck_subresource"),
	refinement("namespace", "resourcecheck_namespace"),
	refinement("name", "resourcecheck_name"),
	selector("fieldSelector", "authorizer_fieldselector"),
	selector("labelSelector", "authorizer_labelselector"),
	{
		name: "check",
		...checkCost,
		overloads: [
			member("pathcheck_check", [pathCheckType, stringType], decisionType, check),
			member("resourcecheck_check", [resourceCheckType, stringType], decisionType, check),
		],
	},
	accessor("errored", boolType, ({ error }) => error !== undefined),
	accessor("error", stringType, ({ error }) => error ?? ""),
	accessor("allowed", boolType, ({ allowed }) => allowed),
	accessor("reason", stringType, ({ reason }) => reason),
];
