/**
 * Annotations by which workloads help themselves: what upstream does not do, where a user asks for it (docs/self-help.md). An
 * annotation that is absent costs nothing and changes nothing.
 */
import type { Cause } from "../../core/errors.ts";
import { notSupported } from "../../core/field-errors.ts";
import type { KubeObject } from "../../core/object.ts";

const domain = "coxswain.io/";

/** A StatefulSet replaces a pod of an outdated revision that never served. */
export const recoverAnnotation = "coxswain.io/recover-rollout";
/** A StatefulSet's claims grow with its volumeClaimTemplates. */
export const growAnnotation = "coxswain.io/grow-claims";

/** What is wrong with a value, with the path of its field. */
type Check = (value: string, path: string) => Cause[];

const oneOf = (values: readonly string[]): Check => {
	return (value, path) => (values.includes(value) ? [] : [notSupported(path, value, values)]);
};

/** Kind → annotation → check of its value. */
const checks: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
	StatefulSet: {
		[recoverAnnotation]: oneOf(["true", "false"]),
		[growAnnotation]: oneOf(["true", "false"]),
	},
};

export function isAsked({ metadata }: { metadata: { annotations?: Record<string, string> } }, name: string): boolean {
	return metadata.annotations?.[name] === "true";
}

/**
 * What is wrong with annotations that an object has and `old` had not, or had with another value: what is stored already must not
 * keep anybody from changing something else.
 */
export function selfHelpProblems(object: KubeObject, old: KubeObject | undefined): Cause[] {
	const causes: Cause[] = [];
	for (const name in object.metadata.annotations) {
		if (!name.startsWith(domain)) continue;
		const value = object.metadata.annotations[name] ?? "";
		if (old?.metadata.annotations?.[name] === value) continue;
		const check = checks[object.kind]?.[name];
		if (check !== undefined) causes.push(...check(value, annotationPath(name)));
	}
	return causes;
}

export function annotationPath(name: string, within = "metadata"): string {
	return `${within}.annotations[${name}]`;
}
