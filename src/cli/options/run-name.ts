/** Selects runs by `cronjob/NAME`, `job/NAME`, `run/NAME`, or a name alone. */
import type { Run } from "../../kinds/history/types.ts";

export type RunMatcher = (run: Pick<Run, "metadata" | "spec">) => boolean;

/** @throws Error for another type */
export function runMatcher(what: string): RunMatcher {
	const { type, name } = typeAndName(what);
	if (type === "cronjob") return ({ spec }) => spec.cronJobName === name;
	if (type === "job") return ({ spec }) => spec.jobName === name;
	if (type === "run") return ({ metadata }) => metadata.name === name;
	return ({ metadata, spec }) => [spec.cronJobName, spec.jobName, metadata.name].includes(name);
}

/**
 * The type in the singular; undefined for a name alone.
 * @throws Error for a type without runs
 */
export function typeAndName(what: string): { type: "cronjob" | "job" | "run" | undefined; name: string } {
	const [, word, name = what] = /^([^/]+)\/(.+)$/.exec(what) ?? [];
	if (word === undefined) return { type: undefined, name };
	if (/^(cronjobs?|cj)(\.batch)?$/.test(word)) return { type: "cronjob", name };
	if (/^jobs?(\.batch)?$/.test(word)) return { type: "job", name };
	if (/^runs?(\.history\.coxswain\.io)?$/.test(word)) return { type: "run", name };
	throw new Error(`expected cronjob/NAME, job/NAME or run/NAME, not ${what}; for pods, use 'kubectl logs'`);
}
