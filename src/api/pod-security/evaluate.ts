/** The violations of a pod against a level of the Pod Security Standards. Pure. */
import type { Check, Control, Subject, Violation } from "./controls/control.ts";
import { controls } from "./controls/list.ts";
import type { LevelVersion } from "./level.ts";

/** Since then nothing has changed; later versions are the same. */
const newest = Math.max(...controls.flatMap(({ versions }) => versions.map(({ since }) => since)));

/** In the order of the list of controls; none when the pod is as the level wants it. */
export function violations(policy: LevelVersion, subject: Subject): Violation[] {
	const found: Violation[] = [];
	for (const check of checksOf(policy)) {
		const violation = check(subject);
		if (violation !== undefined) found.push(violation);
	}
	return found;
}

/** As in errors and warnings: `privileged (container "a" must not …), hostPort (…)` */
export function violationText(found: readonly Violation[]): string {
	return found.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
}

const checks = new Map<string, readonly Check[]>();

function checksOf({ level, version }: LevelVersion): readonly Check[] {
	if (level === "privileged") return [];
	const minor = version === "latest" ? newest : Math.min(version, newest);
	const key = `${level}:${minor}`;
	let found = checks.get(key);
	if (found === undefined) {
		found = checksAt(level, minor);
		checks.set(key, found);
	}
	return found;
}

/** `restricted` includes the controls of `baseline`, except those that it replaces with stricter ones. */
function checksAt(level: "baseline" | "restricted", minor: number): Check[] {
	const effective = controls
		.filter((control) => level === "restricted" || control.level === "baseline")
		.flatMap((control) => {
			const version = versionAt(control, minor);
			return version === undefined ? [] : [{ id: control.id, version }];
		});
	const replaced = new Set(effective.map(({ version }) => version.replaces));
	return effective.filter(({ id }) => !replaced.has(id)).map(({ version }) => version.check);
}

function versionAt({ versions }: Control, minor: number): Control["versions"][number] | undefined {
	return versions.findLast(({ since }) => since <= minor);
}
