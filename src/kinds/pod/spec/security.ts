/** Security contexts of pods and containers. */
import type { Cause } from "../../../core/errors.ts";
import { oneOf, requiredOneOf } from "../../../core/validation/field-checks.ts";
import { duplicate, forbidden, invalidValue, required } from "../../../core/validation/field-errors.ts";
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from "../../generated/types.ts";

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];
const sysctlName = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;

export function validatePodSecurityContext(
	context: PodSecurityContext | undefined,
	host: { network: boolean; ipc: boolean },
	path: string,
): Cause[] {
	if (context === undefined) return [];
	const causes: Cause[] = [
		...identity(context.fsGroup, `${path}.fsGroup`),
		...identity(context.runAsUser, `${path}.runAsUser`),
		...identity(context.runAsGroup, `${path}.runAsGroup`),
		...oneOf(context.fsGroupChangePolicy, ["Always", "OnRootMismatch"], `${path}.fsGroupChangePolicy`),
		...oneOf(context.supplementalGroupsPolicy, ["Merge", "Strict"], `${path}.supplementalGroupsPolicy`),
		...oneOf(context.seLinuxChangePolicy, ["MountOption", "Recursive"], `${path}.seLinuxChangePolicy`),
		...profile(context.seccompProfile, `${path}.seccompProfile`),
		...profile(context.appArmorProfile, `${path}.appArmorProfile`),
	];
	for (const [index, group] of (context.supplementalGroups ?? []).entries())
		causes.push(...identity(group, `${path}.supplementalGroups[${index}]`));
	const seen = new Set<string>();
	for (const [index, { name }] of (context.sysctls ?? []).entries()) {
		const at = `${path}.sysctls[${index}].name`;
		const dotted = name.replaceAll("/", ".");
		if (name === "") causes.push(required(at));
		else if (name.length > 253 || !sysctlName.test(name))
			causes.push(invalidValue(at, name, `must have at most 253 characters and match regex ${sysctlName.source}`));
		else if (seen.has(dotted)) causes.push(duplicate(at, name));
		if (host.network && dotted.startsWith("net."))
			causes.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"));
		if (host.ipc && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted))
			causes.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"));
		seen.add(dotted);
	}
	return causes;
}

export function validateSecurityContext(context: SecurityContext | undefined, path: string): Cause[] {
	if (context === undefined) return [];
	const causes: Cause[] = [
		...identity(context.runAsUser, `${path}.runAsUser`),
		...identity(context.runAsGroup, `${path}.runAsGroup`),
		...oneOf(context.procMount, ["Default", "Unmasked"], `${path}.procMount`),
		...profile(context.seccompProfile, `${path}.seccompProfile`),
		...profile(context.appArmorProfile, `${path}.appArmorProfile`),
	];
	if (context.allowPrivilegeEscalation === false) {
		if (context.privileged === true)
			causes.push(
				invalidValue(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"),
			);
		// Only this literal, as upstream: the name without its prefix is accepted.
		if (context.capabilities?.add?.includes("CAP_SYS_ADMIN"))
			causes.push(
				invalidValue(
					path,
					context,
					"cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
				),
			);
	}
	return causes;
}

function identity(value: number | undefined, path: string): Cause[] {
	if (value === undefined || (value >= 0 && value <= 2 ** 31 - 1)) return [];
	return [invalidValue(path, value, "must be between 0 and 2147483647, inclusive")];
}

function profile(value: SeccompProfile | AppArmorProfile | undefined, path: string): Cause[] {
	if (value === undefined) return [];
	const causes = requiredOneOf(value.type, profileTypes, `${path}.type`);
	const local = value.localhostProfile;
	if (value.type === "Localhost") {
		if (!local) causes.push(required(`${path}.localhostProfile`, "must be set when type is Localhost"));
		else if (local.startsWith("/") || local.split("/").includes(".."))
			causes.push(invalidValue(`${path}.localhostProfile`, local, "must be a relative path"));
	} else if (local !== undefined) {
		causes.push(forbidden(`${path}.localhostProfile`, "may only be set when type is Localhost"));
	}
	return causes;
}
