/** The spec of a claim: PersistentVolumeClaims, templates of StatefulSets, ephemeral volumes. */
import type { Cause } from "../../../core/errors.ts";
import { quantityNano } from "../../../core/quantity.ts";
import { nonNegativeQuantity, oneOf, subdomainName } from "../../../core/validation/field-checks.ts";
import { forbidden, invalidValue, notSupported, required } from "../../../core/validation/field-errors.ts";
import { validateLabelSelector } from "../../engine/label-selector.ts";
import type { PersistentVolumeClaimSpec } from "../../generated/types.ts";

export const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export function accessModeProblems(modes: readonly string[] | undefined, path: string): Cause[] {
	if (modes === undefined || modes.length === 0) return [required(path, "at least 1 access mode is required")];
	const causes: Cause[] = [];
	for (const [index, mode] of modes.entries())
		if (!accessModes.includes(mode)) causes.push(notSupported(`${path}[${index}]`, mode, accessModes));
	if (modes.includes("ReadWriteOncePod") && modes.length > 1)
		causes.push(forbidden(path, "may not use ReadWriteOncePod with other access modes"));
	return causes;
}

export function claimSpecProblems(spec: PersistentVolumeClaimSpec | undefined, path: string): Cause[] {
	if (spec === undefined) return [required(path)];
	const causes = [
		...accessModeProblems(spec.accessModes, `${path}.accessModes`),
		...validateLabelSelector(spec.selector, `${path}.selector`),
		...oneOf(spec.volumeMode, ["Block", "Filesystem"], `${path}.volumeMode`),
	];
	const storage = spec.resources?.requests?.storage;
	const at = `${path}.resources[storage]`;
	if (storage === undefined) causes.push(required(at));
	else if (quantityNano(storage) <= 0n) causes.push(invalidValue(at, storage, "must be greater than zero"));
	else causes.push(...nonNegativeQuantity(storage, at));
	if (spec.storageClassName) causes.push(...subdomainName(spec.storageClassName, `${path}.storageClassName`));
	for (const name of ["dataSource", "dataSourceRef"] as const) {
		const source = spec[name];
		if (source === undefined) continue;
		if (!source.name) causes.push(required(`${path}.${name}.name`));
		if (!source.kind) causes.push(required(`${path}.${name}.kind`));
		if (!source.apiGroup && source.kind !== "PersistentVolumeClaim")
			causes.push(
				invalidValue(
					`${path}.${name}`,
					source.kind,
					"must be 'PersistentVolumeClaim' when referencing the default apiGroup",
				),
			);
	}
	return causes;
}
