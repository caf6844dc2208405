/**
 * Expressions that select devices (`spec.devices.requests[].exactly.selectors[].cel`): what they see, and their result.
 */
import {
	boolType,
	dynType,
	Environment,
	type Field,
	MapWithDefault,
	mapType,
	objectType,
	type Program,
	quantityOf,
	quantityType,
	semverOf,
	sizedType,
	stringType,
	type Type,
	typeText,
} from "../../core/cel/cel.ts";
import type { Device, DeviceAttribute } from "../generated/types.ts";
import { limits } from "./limits.ts";

const domains = sizedType(stringType, limits.domainLength);
const names = sizedType(stringType, limits.nameLength);
const perDevice = limits.attributesPerDevice;

function byDomain(values: Type): Type {
	return mapType(domains, mapType(names, values, perDevice), perDevice);
}

const fields = new Map(
	Object.entries({
		driver: sizedType(stringType, limits.domainLength),
		allowMultipleAllocations: sizedType(boolType, 1),
		// A bool, an int, a string or a version.
		attributes: byDomain(sizedType(dynType, limits.valueLength)),
		capacity: byDomain(quantityType),
	}).map(([key, type]): [string, Field] => [key, { key, type }]),
);

const environment = new Environment({
	variables: { device: objectType("kubernetes.DRADevice", { field: (name) => fields.get(name) }) },
	namedValues: true,
});

type Compiled = { program: Program } | { problem: string };

/** Compiled expressions; requests and classes of a cluster share few. */
const known = new Map<string, Compiled>();
const mostKnown = 1000;

/** @returns the program, or what is wrong with the expression in upstream's words */
export function compileDeviceExpression(expression: string): Compiled {
	let compiled = known.get(expression);
	if (compiled === undefined) {
		if (known.size >= mostKnown) known.clear();
		compiled = compile(expression);
		known.set(expression, compiled);
	}
	return compiled;
}

function compile(expression: string): Compiled {
	const compiled = environment.compile(expression);
	if ("refusal" in compiled) return { problem: `compilation failed: ${compiled.refusal.text}` };
	const { program } = compiled;
	if (program.type.kind === "bool" || program.type.kind === "dyn") return { program };
	return { problem: `must evaluate to bool or the unknown type, not ${typeText(program.type)}` };
}

/** `device` as expressions see it: attributes and capacities by their domain, which is the driver's by default. */
export function deviceVariable(device: Device, driver: string): Readonly<Record<string, unknown>> {
	return {
		driver,
		allowMultipleAllocations: device.allowMultipleAllocations ?? false,
		attributes: grouped(device.attributes ?? {}, driver, attributeValue),
		capacity: grouped(device.capacity ?? {}, driver, ({ value }) => quantityOf(value)),
	};
}

function grouped<T>(values: Readonly<Record<string, T>>, driver: string, read: (value: T) => unknown): unknown {
	const groups = new Map<string, Record<string, unknown>>();
	for (const [name, value] of Object.entries(values)) {
		const [domain, id] = domainAndId(name, driver);
		let group = groups.get(domain);
		if (group === undefined) {
			group = Object.create(null) as Record<string, unknown>;
			groups.set(domain, group);
		}
		group[id] = read(value);
	}
	return new MapWithDefault(groups, {});
}

/** `dra.example.com/memory` → its two parts; a name without a domain is in that of the driver. */
export function domainAndId(name: string, driver: string): [domain: string, id: string] {
	const slash = name.indexOf("/");
	return slash < 0 ? [driver, name] : [name.slice(0, slash), name.slice(slash + 1)];
}

function attributeValue({ bool, int, string, version }: DeviceAttribute): unknown {
	return version === undefined ? (string ?? int ?? bool) : semverOf(version);
}

/** What an expression says of a device, and what it has cost, in units of CEL. */
export type Selection = { cost: number } & ({ matches: boolean; error?: undefined } | { error: string });

/** Whether an expression selects a device. It fails as well when it costs too much or results in no bool. */
export function selects(program: Program, device: Readonly<Record<string, unknown>>): Selection {
	const { value, error, cost } = program.evaluate({ device }, { costLimit: limits.expressionCost });
	if (error !== undefined) return { error, cost };
	if (typeof value !== "boolean") return { error: "CEL result could not be converted to bool", cost };
	return { matches: value, cost };
}
