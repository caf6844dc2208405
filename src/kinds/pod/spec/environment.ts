/** Environment variables, and the downward API, which files use, too. */

import type { Cause } from "../../../core/errors.ts";
import { lookup } from "../../../core/object.ts";
import { quantityNano } from "../../../core/quantity.ts";
import { requiredText } from "../../../core/validation/field-checks.ts";
import {
	invalidEach,
	invalidValue,
	notFoundValue,
	notSupported,
	required,
	tooLongValue,
} from "../../../core/validation/field-errors.ts";
import { configKeyProblems, environmentNameProblems, qualifiedNameProblems } from "../../../core/validation/names.ts";
import type {
	EnvFromSource,
	EnvVar,
	EnvVarSource,
	ObjectFieldSelector,
	ResourceFieldSelector,
} from "../../generated/types.ts";
import { filePath } from "./file-path.ts";

const longestFileKey = 128;

const environmentFields = [
	"metadata.name",
	"metadata.namespace",
	"metadata.uid",
	"spec.nodeName",
	"spec.serviceAccountName",
	"status.hostIP",
	"status.hostIPs",
	"status.podIP",
	"status.podIPs",
];
const fileFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const resourceFields = ["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`limits.${name}`, `requests.${name}`]);
const divisors: Readonly<Record<string, readonly string[]>> = lookup({
	cpu: ["1m", "1"],
	memory: ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"],
});

export function validateEnvironment(variables: readonly EnvVar[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { name, value, valueFrom }] of (variables ?? []).entries()) {
		const at = `${path}[${index}]`;
		if (!name) causes.push(required(`${at}.name`));
		else causes.push(...invalidEach(`${at}.name`, name, environmentNameProblems(name)));
		if (valueFrom !== undefined) causes.push(...source(valueFrom, value, `${at}.valueFrom`));
	}
	return causes;
}

function source(from: EnvVarSource, value: string | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	const count = Object.keys(from).length;
	if (from.fieldRef !== undefined)
		causes.push(...validateFieldRef(from.fieldRef, environmentFields, true, `${path}.fieldRef`));
	if (from.resourceFieldRef !== undefined)
		causes.push(...validateResourceFieldRef(from.resourceFieldRef, false, `${path}.resourceFieldRef`));
	for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
		const reference = from[name];
		if (reference === undefined) continue;
		causes.push(...requiredText(reference.name, `${path}.${name}.name`));
		if (!reference.key) causes.push(required(`${path}.${name}.key`));
		else causes.push(...invalidEach(`${path}.${name}.key`, reference.key, configKeyProblems(reference.key)));
	}
	if (from.fileKeyRef !== undefined) {
		const { key, volumeName, path: file } = from.fileKeyRef;
		causes.push(...requiredText(key, `${path}.fileKeyRef.key`));
		if (key !== undefined && key.length > longestFileKey)
			causes.push(tooLongValue(`${path}.fileKeyRef.key`, longestFileKey));
		else if (key && !/^[\x20-\x3c\x3e-\x7e]+$/.test(key))
			causes.push(invalidValue(`${path}.fileKeyRef.key`, key, "must be printable ASCII without '='"));
		causes.push(...requiredText(volumeName, `${path}.fileKeyRef.volumeName`));
		causes.push(...filePath(file, `${path}.fileKeyRef.path`));
	}
	if (count === 0)
		causes.push(
			invalidValue(
				path,
				"",
				"must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
			),
		);
	else if (value !== undefined && value !== "")
		causes.push(invalidValue(path, "", "may not be specified when `value` is not empty"));
	else if (count > 1) causes.push(invalidValue(path, "", "may not have more than one field specified at a time"));
	return causes;
}

/** Fields of the pod for files of a downward API volume. */
export function validateFileFieldRef(reference: ObjectFieldSelector, path: string): Cause[] {
	return validateFieldRef(reference, fileFields, true, path);
}

function validateFieldRef(
	reference: ObjectFieldSelector,
	supported: readonly string[],
	subscripts: boolean,
	path: string,
): Cause[] {
	if (reference.apiVersion === "") return [required(`${path}.apiVersion`)];
	if (!reference.fieldPath) return [required(`${path}.fieldPath`)];
	if (reference.apiVersion !== undefined && reference.apiVersion !== "v1")
		return [invalidValue(`${path}.fieldPath`, reference.fieldPath, `unsupported pod version: ${reference.apiVersion}`)];
	const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(reference.fieldPath);
	if (subscript !== null && subscripts) {
		const key = subscript[2] ?? "";
		return invalidEach(
			`${path}.fieldPath`,
			key,
			qualifiedNameProblems(subscript[1] === "labels" ? key : key.toLowerCase()),
		);
	}
	if (supported.includes(reference.fieldPath)) return [];
	return [notSupported(`${path}.fieldPath`, reference.fieldPath, [...supported].sort())];
}

/** @param inVolume files must name the container whose resources they show */
export function validateResourceFieldRef(reference: ResourceFieldSelector, inVolume: boolean, path: string): Cause[] {
	if (inVolume && !reference.containerName) return [required(`${path}.containerName`)];
	if (!reference.resource) return [required(`${path}.resource`)];
	const name = /^(?:limits|requests)\.(.*)$/.exec(reference.resource)?.[1];
	if (!resourceFields.includes(reference.resource) && !name?.startsWith("hugepages-"))
		return [notSupported(`${path}.resource`, reference.resource, [...resourceFields].sort())];
	const divisor = reference.divisor ?? "0";
	const allowed = divisors[name === "cpu" ? "cpu" : "memory"] ?? [];
	if (divisor === "0" || allowed.some((text) => quantityNano(text) === quantityNano(divisor))) return [];
	const shown = name === "cpu" ? "1m and 1" : "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
	return [invalidValue("divisor", divisor, `only divisor's values ${shown} are supported with the ${name} resource`)];
}

export function validateEnvironmentFrom(sources: readonly EnvFromSource[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { prefix, configMapRef, secretRef }] of (sources ?? []).entries()) {
		const at = `${path}[${index}]`;
		if (prefix) causes.push(...invalidEach(`${at}.prefix`, prefix, environmentNameProblems(prefix)));
		if (configMapRef !== undefined) causes.push(...requiredText(configMapRef.name, `${at}.configMapRef.name`));
		if (secretRef !== undefined) causes.push(...requiredText(secretRef.name, `${at}.secretRef.name`));
		if (configMapRef === undefined && secretRef === undefined)
			causes.push(invalidValue(at, "", "must specify one of: `configMapRef` or `secretRef`"));
		else if (configMapRef !== undefined && secretRef !== undefined)
			causes.push(invalidValue(at, "", "may not have more than one field specified at a time"));
	}
	return causes;
}

/** Variables from a file must name a volume of the pod. */
export function validateFileVariables(
	variables: readonly EnvVar[] | undefined,
	volumeNames: ReadonlySet<string>,
	path: string,
): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { valueFrom }] of (variables ?? []).entries()) {
		const name = valueFrom?.fileKeyRef?.volumeName;
		if (name && !volumeNames.has(name))
			causes.push(notFoundValue(`${path}[${index}].valueFrom.fileKeyRef.volumeName`, name));
	}
	return causes;
}
