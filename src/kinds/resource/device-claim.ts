/** What a claim asks for (`spec.devices`): defaults and problems. */
import type { Cause } from "../../core/errors.ts";
import { subdomainName } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue, notSupported, required, tooLongValue } from "../../core/validation/field-errors.ts";
import type {
	DeviceClaim,
	DeviceConstraint,
	DeviceRequest,
	DeviceSelector,
	DeviceSubRequest,
	ExactDeviceRequest,
	OpaqueDeviceConfiguration,
} from "../generated/types.ts";
import { compileDeviceExpression } from "./device-expression.ts";
import { limits } from "./limits.ts";
import { distinct, each } from "./lists.ts";
import { driverName, fullyQualifiedName, labelName } from "./names.ts";
import { tolerationProblems } from "./tolerations.ts";

export function setClaimDefaults({ requests = [] }: Partial<DeviceClaim>): void {
	for (const { exactly, firstAvailable = [] } of requests)
		for (const request of exactly === undefined ? firstAvailable : [exactly, ...firstAvailable]) {
			request.allocationMode ||= "ExactCount";
			if (request.allocationMode === "ExactCount") request.count ||= 1;
			for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
		}
}

/** `request` or `request/alternative`. */
export type RequestNames = ReadonlySet<string>;

export function requestNames({ requests = [] }: Partial<DeviceClaim>): RequestNames {
	return new Set(
		requests.flatMap(({ name, firstAvailable = [] }) => [
			name,
			...firstAvailable.map((alternative) => `${name}/${alternative.name}`),
		]),
	);
}

export function claimProblems(claim: Partial<DeviceClaim>, path: string): Cause[] {
	const names = requestNames(claim);
	return [
		...distinct(claim.requests, limits.requests, `${path}.requests`, requestProblems, ({ name }) => name),
		...each(claim.constraints, limits.constraints, `${path}.constraints`, (constraint, at) =>
			constraintProblems(constraint, at, names),
		),
		...each(claim.config, limits.configurations, `${path}.config`, ({ requests, opaque }, at) => [
			...requestReferences(requests, `${at}.requests`, names),
			...opaqueProblems(opaque, at),
		]),
	];
}

function requestProblems({ name, exactly, firstAvailable = [] }: DeviceRequest, path: string): Cause[] {
	const causes = labelName(name, `${path}.name`);
	const one = "exactly one of `exactly` or `firstAvailable` is required";
	if (firstAvailable.length > 0 && exactly !== undefined)
		return [...causes, invalidValue(path, null, `${one}, but multiple fields are set`)];
	if (exactly !== undefined) return [...causes, ...wishProblems(exactly, `${path}.exactly`)];
	if (firstAvailable.length === 0) return [...causes, required(path, one)];
	const alternatives = distinct(
		firstAvailable,
		limits.alternatives,
		`${path}.firstAvailable`,
		(alternative, at) => [...labelName(alternative.name, `${at}.name`), ...wishProblems(alternative, at)],
		(alternative) => alternative.name,
	);
	return [...causes, ...alternatives];
}

function wishProblems(wish: ExactDeviceRequest | DeviceSubRequest, path: string): Cause[] {
	const { deviceClassName, selectors, allocationMode, count = 0, tolerations } = wish;
	const causes = [
		...subdomainName(deviceClassName, `${path}.deviceClassName`),
		...selectorProblems(selectors, `${path}.selectors`),
	];
	if (allocationMode === "All") {
		if (count !== 0)
			causes.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
	} else if (allocationMode === "ExactCount") {
		if (count <= 0) causes.push(invalidValue(`${path}.count`, count, "must be greater than zero"));
	} else causes.push(notSupported(`${path}.allocationMode`, allocationMode, ["All", "ExactCount"]));
	return [...causes, ...tolerationProblems(tolerations, `${path}.tolerations`)];
}

export function selectorProblems(selectors: readonly DeviceSelector[] | undefined, path: string): Cause[] {
	return each(selectors, limits.selectors, path, ({ cel }, at) =>
		cel === undefined ? [required(`${at}.cel`)] : expressionProblems(cel.expression ?? "", `${at}.cel.expression`),
	);
}

function expressionProblems(expression: string, path: string): Cause[] {
	if (Buffer.byteLength(expression) > limits.expressionLength) return [tooLongValue(path, limits.expressionLength)];
	const compiled = compileDeviceExpression(expression);
	if ("problem" in compiled) return [invalidValue(path, expression, compiled.problem)];
	if (compiled.program.estimatedCost().max <= limits.expressionCost) return [];
	return [forbidden(path, "too complex, exceeds cost limit")];
}

function constraintProblems(constraint: DeviceConstraint, path: string, names: RequestNames): Cause[] {
	const { requests, matchAttribute, distinctAttribute } = constraint;
	const causes = requestReferences(requests, `${path}.requests`, names);
	if (matchAttribute !== undefined) causes.push(...fullyQualifiedName(matchAttribute, `${path}.matchAttribute`));
	else if (distinctAttribute !== undefined)
		causes.push(...fullyQualifiedName(distinctAttribute, `${path}.distinctAttribute`));
	const one = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
	// Upstream says the same of none and of both.
	if ((matchAttribute === undefined) === (distinctAttribute === undefined)) causes.push(required(path, one));
	return causes;
}

/** Names of requests in other parts of a claim. */
export function requestReferences(requests: readonly string[] | undefined, path: string, names: RequestNames): Cause[] {
	return distinct(
		requests,
		limits.requests,
		path,
		(name, at) => requestReference(name, at, names),
		(name) => name,
	);
}

export function requestReference(name: string, path: string, names: RequestNames): Cause[] {
	const unknown = invalidValue(
		path,
		name,
		"must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
	);
	const parts = name.split("/");
	if (parts.length > 2) return [unknown];
	const causes = parts.flatMap((part) => labelName(part, path));
	return names.has(name) ? causes : [...causes, unknown];
}

/** @param opaque of a configuration at `path` */
export function opaqueProblems(opaque: OpaqueDeviceConfiguration | undefined, path: string): Cause[] {
	if (opaque === undefined) return [required(`${path}.opaque`)];
	return [
		...driverName(opaque.driver, `${path}.opaque.driver`),
		...dataProblems(opaque.parameters, `${path}.opaque.parameters`),
	];
}

/** A JSON object that only a driver understands. */
export function dataProblems(data: unknown, path: string): Cause[] {
	if (data === undefined || data === null) return [required(path)];
	if (Buffer.byteLength(JSON.stringify(data)) > limits.parametersLength)
		return [tooLongValue(path, limits.parametersLength)];
	if (typeof data === "object" && !Array.isArray(data)) return [];
	return [invalidValue(path, "<value omitted>", "must be a valid JSON object")];
}
