/** The versions of a definition, and which of two is the newer one. */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types.ts";

const kubeVersion = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;
const stability = ["alpha", "beta", undefined];

/**
 * Order of Kubernetes' versions, the newest last: `v1alpha1` < `v1beta1` < `v1` < `v2`. Any other name comes before all
 * of these, and names that are no versions are in the reverse order of the alphabet.
 */
export function compareVersions(left: string, right: string): number {
	const [a, b] = [kubeVersion.exec(left), kubeVersion.exec(right)];
	if (a === null || b === null) {
		if (a === null && b === null) return left === right ? 0 : left < right ? 1 : -1;
		return a === null ? -1 : 1;
	}
	return (
		stability.indexOf(a[2]) - stability.indexOf(b[2]) ||
		Number(a[1]) - Number(b[1]) ||
		Number(a[3] ?? 0) - Number(b[3] ?? 0)
	);
}

/** @throws Error when the definition has no such version */
export function versionOf({ metadata, spec }: CustomResourceDefinition, name: string): CustomResourceDefinitionVersion {
	const version = spec.versions.find((one) => one.name === name);
	if (version === undefined) throw new Error(`${metadata.name} has no version ${name}`);
	return version;
}

/** The `Warning` header of a version that is deprecated. */
export function deprecationOf(definition: CustomResourceDefinition, name: string): string | undefined {
	const { deprecated, deprecationWarning } = versionOf(definition, name);
	if (deprecated !== true) return undefined;
	if (deprecationWarning !== undefined) return deprecationWarning;
	const { group, names, versions } = definition.spec;
	const newer = versions
		.filter((one) => one.served && one.deprecated !== true && compareVersions(name, one.name) < 0)
		.map((one) => one.name)
		.sort(compareVersions)
		.at(-1);
	const message = `${group}/${name} ${names.kind} is deprecated`;
	return newer === undefined ? message : `${message}; use ${group}/${newer} ${names.kind}`;
}
