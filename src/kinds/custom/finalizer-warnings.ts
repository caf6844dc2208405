/** Warnings for finalizers whose names may be those of others. */

import type { KubeObject } from "../../core/object.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";

const standard = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

/** Of finalizers that the old object did not have, in their order by name. */
export function finalizerWarnings({ metadata }: KubeObject, old?: KubeObject): string[] {
	const before = new Set(old?.metadata.finalizers);
	const added = new Set((metadata.finalizers ?? []).filter((name) => !before.has(name)));
	return [...added].sort().flatMap((name) => {
		const beginning = `metadata.finalizers: ${JSON.stringify(name)}:`;
		const warnings = qualifiedNameProblems(name).map((problem) => `${beginning} ${problem}`);
		if (name.includes("/") || standard.has(name)) return warnings;
		const path = name.includes(".") ? " including a path (/)" : "";
		const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
		return [...warnings, `${beginning} ${advice}`];
	});
}
