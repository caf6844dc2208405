import { callCost } from "../cost/factors.ts";
import { comparison } from "../cost/size.ts";
import type { FunctionDeclaration, Overload } from "../library/function.ts";
import type { Call, Node } from "../parse/syntax.ts";
import { acceptorOf } from "../types/accepts.ts";
import { listMarkerOf } from "../types/marking.ts";
import { fail, noSuchOverload } from "../values/failure.ts";
import { typeNameOf } from "../values/kind.ts";
import { equal, Optional } from "../values/value.ts";
import { branchDiscount, buildIndex } from "./access.ts";
import type { Builder } from "./builder.ts";
import { charge, type Evaluate } from "./frame.ts";
import { buildMembership } from "./membership.ts";

export function buildCall(builder: Builder, node: Call): Evaluate {
	const [first, second] = node.arguments;
	switch (node.name) {
		case "_[_]":
		case "_[?_]":
			return buildIndex(builder, node);
		case "_?_:_":
			return conditional(builder, node.arguments);
		case "_==_":
		case "_!=_":
			return equality(builder, required(first), required(second), node.name === "_==_");
		case "@in":
			return buildMembership(builder, node);
		case "or":
		case "orValue":
			if (node.target !== undefined && first !== undefined) return alternative(builder, node.target, first, node.name);
			break;
		default:
	}
	return functionCall(builder, node);
}

function required(node: Node | undefined): Node {
	if (node === undefined) throw new Error("a call that lacks an argument");
	return node;
}

function conditional(builder: Builder, args: readonly Node[]): Evaluate {
	const [condition, whenTrue, whenFalse] = args.map((argument, index) => {
		const evaluate = builder.build(argument);
		const discount = index === 0 || builder.constantOf(argument) !== undefined ? 0 : branchDiscount(argument);
		return { evaluate, discount };
	});
	if (condition === undefined || whenTrue === undefined || whenFalse === undefined) throw new Error("no condition");
	return (frame) => {
		const decision = condition.evaluate(frame);
		if (typeof decision !== "boolean") return noSuchOverload();
		const branch = decision ? whenTrue : whenFalse;
		const value = branch.evaluate(frame);
		frame.cost -= branch.discount;
		return value;
	};
}

function equality(builder: Builder, leftNode: Node, rightNode: Node, wanted: boolean): Evaluate {
	const left = builder.build(leftNode);
	const right = builder.build(rightNode);
	const markLeft = listMarkerOf(builder.checked.typeOf(leftNode));
	return (frame) => {
		const a = left(frame);
		const b = right(frame);
		charge(frame, comparison(a, b));
		if (markLeft !== undefined && a !== b) markLeft(a);
		return equal(a, b) === wanted;
	};
}

/** `or` and `orValue`, whose argument is evaluated only when it is needed. */
function alternative(builder: Builder, target: Node, argument: Node, name: "or" | "orValue"): Evaluate {
	const first = builder.build(target);
	const second = builder.build(argument);
	return (frame) => {
		const optional = first(frame);
		if (!(optional instanceof Optional)) return noSuchOverload();
		if (optional.value === undefined) return second(frame);
		return name === "or" ? optional : optional.value;
	};
}

function functionCall(builder: Builder, node: Call): Evaluate {
	const { declaration, overloads, namespaced } = builder.checked.resolutionOf(node);
	const nodes = node.target === undefined || namespaced ? node.arguments : [node.target, ...node.arguments];
	const args = nodes.map((argument) => builder.build(argument));
	const [only] = overloads;
	if (declaration.checksArguments) return operatorCall(declaration, overloads, args);
	if (overloads.length === 1 && only !== undefined) return directCall(declaration, only, args);
	const choices = overloads.map((overload) => ({ overload, accepts: overload.parameters.map(acceptorOf) }));
	const cost = declaration.cost;
	const perCall = cost === undefined ? callCost : 0;
	return (frame) => {
		const values = args.map((argument) => argument(frame));
		charge(frame, cost?.before === undefined ? perCall : cost.before(values));
		const choice = choices.find(({ accepts }) => accepts.every((accept, index) => accept(values[index])));
		if (choice === undefined) return noOverload(declaration, values);
		const run = runOf(declaration, choice.overload);
		const result = run(...values);
		if (cost?.after !== undefined) charge(frame, cost.after(values, result));
		return result;
	};
}

/** A call of an operator, which finds out itself what its operands are. */
function operatorCall(
	declaration: FunctionDeclaration,
	overloads: readonly Overload[],
	args: readonly Evaluate[],
): Evaluate {
	const [first, second] = args;
	const [only] = overloads;
	if (first === undefined || only === undefined) throw new Error(`an operator ${declaration.name} without operands`);
	const run = runOf(declaration, only);
	const before = overloads.length === 1 ? only.cost?.before : undefined;
	if (second === undefined)
		return (frame) => {
			const value = first(frame);
			frame.cost += callCost;
			return run(value);
		};
	if (before === undefined)
		return (frame) => {
			const a = first(frame);
			const b = second(frame);
			frame.cost += callCost;
			return run(a, b);
		};
	return (frame) => {
		const a = first(frame);
		const b = second(frame);
		charge(frame, before([a, b]));
		return run(a, b);
	};
}

/** The function of an overload, for arguments that its parameters accept. */
function runOf(declaration: FunctionDeclaration, overload: Overload): (...args: unknown[]) => unknown {
	const run = overload.run ?? declaration.run;
	if (run === undefined) throw new Error(`nothing runs ${declaration.name}`);
	// Arguments are passed to it only after the acceptors of its parameters have looked at them.
	return run as (...args: unknown[]) => unknown;
}

function noOverload(declaration: FunctionDeclaration, values: readonly unknown[]): never {
	if (/[^\w.]/.test(declaration.name)) noSuchOverload();
	fail(`no such overload: ${declaration.name}(${values.map(typeNameOf).join(", ")})`);
}

function directCall(declaration: FunctionDeclaration, overload: Overload, args: readonly Evaluate[]): Evaluate {
	const cost = overload.cost ?? declaration.cost;
	const run = runOf(declaration, overload);
	const accepts = overload.parameters.map(acceptorOf);
	const before = cost?.before;
	const after = cost?.after;
	const [first, second] = args;
	const [acceptFirst, acceptSecond] = accepts;
	if (cost === undefined && args.length === 2 && first && second && acceptFirst && acceptSecond)
		return (frame) => {
			const a = first(frame);
			const b = second(frame);
			frame.cost += callCost;
			if (!acceptFirst(a) || !acceptSecond(b)) return noOverload(declaration, [a, b]);
			return run(a, b);
		};
	return (frame) => {
		const values = args.map((argument) => argument(frame));
		for (let index = 0; index < values.length; index++)
			if (!accepts[index]?.(values[index])) return noOverload(declaration, values);
		if (cost === undefined) frame.cost += callCost;
		if (before !== undefined) charge(frame, before(values));
		const result = run(...values);
		if (after !== undefined) charge(frame, after(values, result));
		return result;
	};
}
