/**
 * The Job of a run that someone starts by hand, as `kubectl create job --from` makes it, with changes for this run
 * only. Pure.
 */
import { controllerReference, type Draft } from "../../core/object.ts";
import type { Container, CronJob, EnvVar, Job } from "../generated/types.ts";
import { afterAnnotation } from "./after.ts";
import { startedByAnnotation } from "./annotations.ts";

/** As kubectl marks such Jobs. */
const instantiateAnnotation = "cronjob.kubernetes.io/instantiate";

export interface ManualRun {
	/** The user who starts it. */
	by: string;
	/** Name of the Job; undefined: the server makes one up. */
	name?: string | undefined;
	/** Whose env and args are changed; undefined: the first container's. */
	container?: string | undefined;
	/** In the place of variables of the same name, or beside those that there are. */
	env: readonly EnvVar[];
	/** In the place of all args; undefined: they stay. */
	args?: readonly string[] | undefined;
}

/** @throws Error when there is no such container */
export function manualJob(cronJob: CronJob, run: ManualRun): Draft<Job> {
	const { metadata, spec } = cronJob.spec.jobTemplate;
	const { namespace, name } = cronJob.metadata;
	const containers = spec?.template.spec.containers ?? [];
	const after = cronJob.metadata.annotations?.[afterAnnotation];
	const wanted = run.container ?? containers[0]?.name;
	if (!containers.some((container) => container.name === wanted)) {
		const names = containers.map((container) => container.name).join(", ");
		throw new Error(`cronjob/${name} has no container ${wanted}; it has ${names}`);
	}
	return {
		metadata: {
			...(run.name === undefined ? { generateName: `${name}-manual-` } : { name: run.name }),
			namespace,
			labels: { ...metadata?.labels },
			annotations: {
				...(after === undefined ? {} : { [afterAnnotation]: after }),
				...metadata?.annotations,
				[instantiateAnnotation]: "manual",
				[startedByAnnotation]: run.by,
			},
			ownerReferences: [controllerReference(cronJob)],
		},
		spec: {
			...spec,
			template: {
				...spec?.template,
				spec: {
					...spec?.template.spec,
					containers: containers.map((one) => (one.name === wanted ? changed(one, run) : one)),
				},
			},
		},
	} as Draft<Job>;
}

function changed(container: Container, { env, args }: ManualRun): Container {
	const replaced = new Map(env.map((variable) => [variable.name, variable]));
	const kept = (container.env ?? []).map((variable) => {
		const own = replaced.get(variable.name);
		replaced.delete(variable.name);
		return own ?? variable;
	});
	const all = [...kept, ...replaced.values()];
	return {
		...container,
		...(all.length === 0 ? {} : { env: all }),
		...(args === undefined ? {} : { args: [...args] }),
	};
}

/** @throws Error when it is not of the form NAME=VALUE */
export function envVar(text: string): EnvVar {
	const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
	if (name === "") throw new Error(`'${text}' is not of the form NAME=VALUE`);
	return { name, value };
}
