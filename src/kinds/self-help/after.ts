/**
 * Order between workloads: `coxswain.io/after: job/migrate,statefulset/db` holds back the pods of a workload until the
 * others, in the same namespace, are complete or available (docs/self-help.md).
 */
import type { KubeObject } from "../../core/object.ts";
import type { Pod, PodTemplateSpec } from "../generated/types.ts";

export const afterAnnotation = "coxswain.io/after";
/** The scheduling gate of pods that are held back. */
export const afterGate = "coxswain.io/after";

export type AwaitedKind = "Job" | "StatefulSet" | "Deployment" | "DaemonSet" | "Pod";

export interface Awaited {
	kind: AwaitedKind;
	name: string;
	/** `job/migrate` */
	id: string;
}

const kinds: Readonly<Record<AwaitedKind, RegExp>> = {
	Job: /^(jobs?|jobs?\.batch)$/,
	StatefulSet: /^(statefulsets?(\.apps)?|sts)$/,
	Deployment: /^(deployments?(\.apps)?|deploy)$/,
	DaemonSet: /^(daemonsets?(\.apps)?|ds)$/,
	Pod: /^(pods?|po)$/,
};
const mostAwaited = 20;

/** @throws Error that describes the problem */
export function parseAfter(text: string): Awaited[] {
	const parts = text
		.split(",")
		.map((part) => part.trim())
		.filter((part) => part !== "");
	if (parts.length > mostAwaited) throw new Error(`must name at most ${mostAwaited} workloads`);
	return parts.map((part) => {
		const [, type = "", name = ""] = /^([a-z.]+)\/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/.exec(part) ?? [];
		const kind = (Object.keys(kinds) as AwaitedKind[]).find((one) => kinds[one].test(type));
		if (kind === undefined)
			throw new Error(
				`'${part}' names no workload: wanted job/NAME, statefulset/NAME, deployment/NAME, daemonset/NAME or pod/NAME`,
			);
		return { kind, name, id: idOf(kind, name) };
	});
}

export function isHeldBack(pod: Pod): boolean {
	return pod.spec.schedulingGates?.some(({ name }) => name === afterGate) ?? false;
}

export function idOf(kind: string, name: string): string {
	return `${kind.toLowerCase()}/${name}`;
}

/** Everything that the workload's pods wait for, by its own annotation or its template's; empty if it is invalid. */
export function awaitedBy(object: KubeObject): Awaited[] {
	const own = object.metadata.annotations?.[afterAnnotation];
	const templates = templateOf(object)?.metadata?.annotations?.[afterAnnotation];
	if (own === undefined && templates === undefined) return [];
	try {
		return parseAfter(`${own ?? ""},${templates ?? ""}`);
	} catch {
		return [];
	}
}

/** The template of the object's pods; undefined for a pod, and for a CronJob, whose Jobs have it. */
export function templateOf(object: KubeObject): PodTemplateSpec | undefined {
	// All objects with a template have it in this field.
	return (object as { spec?: { template?: PodTemplateSpec } }).spec?.template;
}

/** The maximum number of workloads to visit; no user intends a longer chain. */
const mostFollowed = 1000;

/**
 * The shortest cycle from this workload to itself: `deployment/a`, `job/b`, `deployment/a`. Undefined if there is none.
 * @param find returns others in the same namespace
 * @param patience is decreased, so that several searches can share a limit
 */
export function cycleOf(
	object: KubeObject,
	find: (awaited: Awaited) => KubeObject | undefined,
	patience = { workloads: mostFollowed },
): string[] | undefined {
	const start = idOf(object.kind, object.metadata.name);
	/** ID → ID of the workload that waits for it. */
	const waiting = new Map<string, string>();
	const queue = [{ id: start, found: object }];
	for (let place = 0; place < queue.length && patience.workloads > 0; place++) {
		patience.workloads--;
		const from = queue[place];
		if (from === undefined) break;
		for (const awaited of awaitedBy(from.found)) {
			if (awaited.id === start) return [...chainTo(from.id, waiting), start];
			if (waiting.has(awaited.id)) continue;
			waiting.set(awaited.id, from.id);
			const found = find(awaited);
			if (found !== undefined) queue.push({ id: awaited.id, found });
		}
	}
	return undefined;
}

function chainTo(id: string, waiting: ReadonlyMap<string, string>): string[] {
	const chain = [id];
	for (let before = waiting.get(id); before !== undefined; before = waiting.get(before)) chain.unshift(before);
	return chain;
}
