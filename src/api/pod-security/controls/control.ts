/** A control of the Pod Security Standards: one thing that a level forbids or demands. */
import type { Container, EphemeralContainer, PodSpec } from "../../../kinds/generated/types.ts";

/** A pod, or the template of one. */
export interface Subject {
	readonly spec: PodSpec;
	readonly annotations: Readonly<Record<string, string>>;
	/** Of all three sorts: first the init containers, last the ephemeral ones. */
	readonly containers: readonly (Container | EphemeralContainer)[];
}

export interface Violation {
	/** What the pod does, in a few words. */
	readonly reason: string;
	/** Where it does so, and what it may do instead. */
	readonly detail: string;
}

export type Check = (subject: Subject) => Violation | undefined;

export interface Control {
	/** As upstream names it. Violations are listed in the order of these names, those of `baseline` first. */
	readonly id: string;
	readonly level: "baseline" | "restricted";
	/** What has been checked since which minor release of Kubernetes 1, in ascending order. */
	readonly versions: readonly {
		readonly since: number;
		readonly check: Check;
		/** The id of a control of `baseline` that this one is stricter than: only one of the two is listed. */
		readonly replaces?: string;
	}[];
}

export function subjectOf(spec: PodSpec, annotations: Readonly<Record<string, string>> = {}): Subject {
	const { initContainers = [], containers = [], ephemeralContainers = [] } = spec;
	return { spec, annotations, containers: [...initContainers, ...containers, ...ephemeralContainers] };
}

/** Windows has no such settings, and validation refuses them there (since v1.25 of the standards). */
export function unlessWindows(check: Check): Check {
	return (subject) => (subject.spec.os?.name === "windows" ? undefined : check(subject));
}

/** Root in its own user namespace has no privileges outside (KEP-127; since v1.35 of the standards). */
export function unlessInUserNamespace(check: Check): Check {
	return (subject) => (subject.spec.hostUsers === false ? undefined : check(subject));
}
