/** Fields of a pod spec that are allowed but most likely a mistake. */
import { lookup } from "../../core/object.ts";
import { quantityNano } from "../../core/quantity.ts";
import type { PodSpec } from "../generated/types.ts";

const oldNodeLabels: Readonly<Record<string, string>> = lookup({
	"beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
	"beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
	"failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
	"failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
	"beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
});

/** @param path of the spec: `spec`, or `spec.template.spec` */
export function podSpecWarnings(spec: PodSpec | undefined, path: string): string[] {
	if (spec === undefined) return [];
	const warnings: string[] = [];
	for (const key of Object.keys(spec.nodeSelector ?? {})) {
		const advice = oldNodeLabels[key];
		if (advice !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${advice}`);
	}
	if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
		warnings.push(
			`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
		);
	for (const field of ["initContainers", "containers"] as const)
		for (const [index, container] of (spec[field] ?? []).entries()) {
			const at = `${path}.${field}[${index}]`;
			const seen = new Set<string>();
			for (const [position, { name }] of (container.env ?? []).entries()) {
				if (seen.has(name))
					warnings.push(
						`${at}.env[${position}]: hides previous definition of "${name}", which may be dropped when using apply`,
					);
				seen.add(name);
			}
			for (const part of ["limits", "requests"] as const)
				for (const name of ["memory", "ephemeral-storage"]) {
					const quantity = container.resources?.[part]?.[name];
					if (quantity !== undefined && quantityNano(quantity) % 10n ** 9n !== 0n)
						warnings.push(
							`${at}.resources.${part}[${name}]: fractional byte value "${quantity}" is invalid, must be an integer`,
						);
				}
		}
	for (const [index, volume] of (spec.volumes ?? []).entries())
		if (volume.gitRepo !== undefined)
			warnings.push(`${path}.volumes[${index}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+`);
	return warnings;
}
