/** Finds the target of a request: a pod, one of its containers, an instance of that. Pure. */

import { isTrue } from "../../core/selection/query.ts";
import type { LogOptions } from "../../core/text/log-lines.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container, Sandbox } from "../../runtime/runtime.ts";
import type { PodRuntime } from "../context/runtime-view.ts";
import { podContainers } from "../pod/pod-state.ts";
import { badRequest, notFound } from "./http-error.ts";

/**
 * @param uid the pod must have this UID, if given
 * @throws HttpError 404
 */
export function findPod(pods: Iterable<Pod>, namespace: string, name: string, uid: string | null): Pod {
	let found: Pod | undefined;
	for (const pod of pods) {
		if (pod.metadata.name !== name || pod.metadata.namespace !== namespace) continue;
		if (uid !== null && pod.metadata.uid !== uid) continue;
		// If two pods have the name, the one that is not being deleted.
		if (found === undefined || pod.metadata.deletionTimestamp === undefined) found = pod;
	}
	if (found === undefined) throw notFound(`pod "${name}" not found`);
	return found;
}

/**
 * The sandbox for port forwarding.
 * @throws HttpError
 */
export function findSandbox(pod: Pod, { sandboxes }: PodRuntime): Sandbox {
	const sandbox = sandboxes.findLast(({ state }) => state === "ready");
	if (sandbox === undefined)
		throw badRequest(
			`unable to forward port because pod is not running. Current status=${pod.status?.phase ?? "Pending"}`,
		);
	return sandbox;
}

/**
 * The running instance for exec and attach.
 * @throws HttpError
 */
export function findRunning(pod: Pod, name: string, { containers }: PodRuntime): Container {
	requireContainer(pod, name);
	const container = containers.findLast(({ config, state }) => config.name === name && state === "running");
	if (container === undefined) throw notFound(`container not found ("${name}")`);
	return container;
}

/**
 * The instance whose log is requested.
 * @throws HttpError with upstream's message for a container without a log (yet)
 */
export function findLogged(pod: Pod, name: string, { containers }: PodRuntime, previous: boolean): Container {
	requireContainer(pod, name);
	const instances = containers
		.filter(({ config, state }) => config.name === name && state !== "created")
		.sort((a, b) => b.config.attempt - a.config.attempt);
	const [newest] = instances;
	if (previous) {
		// Between two runs, the instance that terminated last is the previous one.
		const waits = statusOf(pod, name)?.state?.waiting !== undefined;
		const before = waits ? newest : instances[1];
		if (before !== undefined) return before;
		throw badRequest(`previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
	}
	if (newest !== undefined) return newest;
	const waiting = statusOf(pod, name)?.state?.waiting;
	const place = `container "${name}" in pod "${pod.metadata.name}"`;
	if (waiting?.reason === "ErrImagePull" || waiting?.reason === "ImagePullBackOff") {
		throw badRequest(`${place} is waiting to start: trying and failing to pull image`);
	}
	if (waiting?.reason === "ErrImageNeverPull") throw badRequest(`${place} is waiting to start: image can't be pulled`);
	if (waiting !== undefined) throw badRequest(`${place} is waiting to start: ${waiting.reason}`);
	throw badRequest(`${place} is not available`);
}

function requireContainer(pod: Pod, name: string): void {
	if (podContainers(pod).some(({ spec }) => spec.name === name)) return;
	throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`);
}

function statusOf({ status }: Pod, name: string) {
	const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
	return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find(
		(each) => each.name === name,
	);
}

/** @throws HttpError for values out of range */
export function logOptions(query: URLSearchParams, nowMs: number): LogOptions & { previous: boolean } {
	const flag = (name: string) => isTrue(query.get(name));
	const number = (name: string, least: number): number | undefined => {
		const text = query.get(name);
		if (text === null || text === "") return undefined;
		const value = Number(text);
		if (!Number.isInteger(value) || value < least)
			throw badRequest(`${name}: Invalid value: ${text}: must be at least ${least}`);
		return value;
	};
	const tailLines = number("tailLines", 0);
	const limitBytes = number("limitBytes", 1);
	const sinceSeconds = number("sinceSeconds", 1);
	const sinceTime = query.get("sinceTime");
	const sinceMs =
		sinceTime !== null && sinceTime !== ""
			? parseTimestamp(sinceTime)
			: sinceSeconds === undefined
				? undefined
				: nowMs - sinceSeconds * 1000;
	const stream = query.get("stream")?.toLowerCase();
	return {
		...(tailLines === undefined ? {} : { tailLines }),
		...(limitBytes === undefined ? {} : { limitBytes }),
		...(sinceMs === undefined ? {} : { sinceMs }),
		...(stream === "stdout" || stream === "stderr" ? { stream } : {}),
		timestamps: flag("timestamps"),
		follow: flag("follow"),
		previous: flag("previous"),
	};
}
