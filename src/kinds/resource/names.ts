/** Names of devices and of what belongs to them. */
import type { Cause } from "../../core/errors.ts";
import { invalidEach, invalidValue, required, tooLongValue } from "../../core/validation/field-errors.ts";
import {
	dnsLabelProblems,
	dnsSubdomainProblems,
	identifierProblems,
	labelValueProblems,
	qualifiedNameProblems,
} from "../../core/validation/names.ts";
import { driverName } from "../storage/driver-name.ts";
import { limits } from "./limits.ts";

export { driverName };

/** Names of devices, requests and counters. */
export function labelName(name: string | undefined, path: string): Cause[] {
	return invalidEach(path, name ?? "", dnsLabelProblems(name ?? ""));
}

/** Subdomains, separated by slashes. */
export function poolName(name: string | undefined, path: string): Cause[] {
	if (!name) return [required(path)];
	const causes = name.length > limits.poolNameLength ? [tooLongValue(path, limits.poolNameLength)] : [];
	return causes.concat(name.split("/").flatMap((part) => invalidEach(path, part, dnsSubdomainProblems(part))));
}

/** Names of attributes and capacities: `memory` or `dra.example.com/memory`. */
export function qualifiedName(name: string, path: string): Cause[] {
	const [first = "", second, ...rest] = name.split("/");
	if (second === undefined) return identifier(first, path);
	if (rest.length > 0) return [invalidValue(path, name, "must not contain more than one slash")];
	return [
		...(first === "" ? [invalidValue(path, "", "the domain must not be empty")] : driverName(first, path)),
		...(second === "" ? [invalidValue(path, "", "the name must not be empty")] : identifier(second, path)),
	];
}

/** As `qualifiedName`, with a domain. */
export function fullyQualifiedName(name: string, path: string): Cause[] {
	const causes = qualifiedName(name, path);
	if (name.includes("/")) return causes;
	return [
		...causes,
		invalidValue(path, name, "a fully qualified name must be a domain and a name separated by a slash"),
	];
}

function identifier(name: string, path: string): Cause[] {
	const causes = invalidEach(path, name, identifierProblems(name));
	return name.length > limits.nameLength ? [tooLongValue(path, limits.nameLength), ...causes] : causes;
}

/** Keys of taints and types of conditions. */
export function labelKey(key: string | undefined, path: string): Cause[] {
	return invalidEach(path, key ?? "", qualifiedNameProblems(key ?? ""));
}

export function labelValue(value: string | undefined, path: string): Cause[] {
	return invalidEach(path, value ?? "", labelValueProblems(value ?? ""));
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The identity of one share of a device that several claims use. */
export function shareId(id: string | undefined, path: string): Cause[] {
	if (id === undefined || uuid.test(id)) return [];
	if (!uuid.test(id.toLowerCase()))
		return [invalidValue(path, id, `error validating uid: invalid UUID length: ${id.length}`)];
	return [
		invalidValue(
			path,
			id,
			"uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters",
		),
	];
}
