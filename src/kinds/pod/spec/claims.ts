/** Resource claims of a pod, and those of them that a container uses. */
import type { Cause } from "../../../core/errors.ts";
import {
	duplicate,
	invalidEach,
	invalidValue,
	notFoundValue,
	required,
} from "../../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../../core/validation/names.ts";
import type { PodResourceClaim, ResourceClaim } from "../../generated/types.ts";

export function podClaimProblems(claims: readonly PodResourceClaim[] | undefined, path: string): Cause[] {
	const names = new Set<string>();
	return (claims ?? []).flatMap((claim, index) => {
		const at = `${path}[${index}]`;
		const { name, resourceClaimName, resourceClaimTemplateName } = claim;
		const causes: Cause[] = [];
		if (!name) causes.push(required(`${at}.name`));
		else if (names.has(name)) causes.push(duplicate(`${at}.name`, name));
		else causes.push(...invalidEach(`${at}.name`, name, dnsLabelProblems(name)));
		names.add(name);
		const one = "`resourceClaimName` or `resourceClaimTemplateName`";
		if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
			causes.push(invalidValue(at, claim, `at most one of ${one} may be specified`));
		if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
			causes.push(invalidValue(at, claim, `must specify one of: ${one.replace(" or", ",")}`));
		for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName }))
			if (value !== undefined) causes.push(...invalidEach(`${at}.${field}`, value, dnsSubdomainProblems(value)));
		return causes;
	});
}

/** @param podClaims names in the pod's `resourceClaims` */
export function containerClaimProblems(
	claims: readonly ResourceClaim[],
	podClaims: ReadonlySet<string>,
	path: string,
): Cause[] {
	const seen = new Set<string>();
	const known = podClaims.size === 0 ? " which is empty" : `: ${[...podClaims].sort().join(", ")}`;
	return claims.flatMap(({ name, request = "" }, index) => {
		const at = `${path}[${index}]`;
		if (!name) return [required(at)];
		const causes = seen.has(`${name}/${request}`) ? [duplicate(at, name)] : [];
		seen.add(`${name}/${request}`);
		if (podClaims.has(name)) return causes;
		return [...causes, notFoundValue(at, name, `must be one of the names in pod.spec.resourceClaims${known}`)];
	});
}
