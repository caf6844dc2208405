/** Containers of a pod that has a node: the first that does not start, does not stay up, or is not ready. */
import type { Container, ContainerStatus, Pod } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, latestEvent } from "../findings/evidence.ts";
import { type Finding, finding, type LogRef, type Subject } from "../findings/finding.ts";

/** A container with its spec, and the pod that both belong to. */
interface Observed {
	pod: Pod;
	about: Subject;
	container: Container;
	status: ContainerStatus;
	evidence: Evidence;
}

/** Empty if no container is the reason: none has been created yet. */
export function containerFindings(pod: Pod, evidence: Evidence): Finding[] {
	const initial = observed(pod, evidence, pod.spec.initContainers ?? [], pod.status?.initContainerStatuses);
	const unfinished = initial.findIndex((one) => !hasInitialized(one));
	if (unfinished >= 0) {
		const one = initial[unfinished] as Observed;
		return initFindings(one, unfinished + 1, initial.length);
	}
	const members = observed(pod, evidence, pod.spec.containers, pod.status?.containerStatuses);
	for (const one of members) {
		const found = [...startFindings(one), ...runFindings(one)];
		if (found.length > 0) return found;
	}
	return [];
}

function observed(
	pod: Pod,
	evidence: Evidence,
	containers: readonly Container[],
	statuses: readonly ContainerStatus[] = [],
): Observed[] {
	const about: Subject = { type: "pod", name: pod.metadata.name };
	return containers.flatMap((container) => {
		const status = statuses.find(({ name }) => name === container.name);
		return status === undefined ? [] : [{ pod, about, container, status, evidence }];
	});
}

/** It has exited with 0, or runs beside the pod's containers (restartPolicy Always). */
function hasInitialized({ container, status }: Observed): boolean {
	if (container.restartPolicy === "Always") return status.started === true;
	return status.state?.terminated?.exitCode === 0;
}

function initFindings(one: Observed, position: number, count: number): Finding[] {
	const { name } = one.container;
	const causes = [...startFindings(one), ...crashFindings(one)];
	if (causes.length > 0) return [finding(one.about, "initFailing", { container: name }), ...causes];
	if (one.status.state?.running === undefined) return [];
	const log = logOf(one, false);
	return [finding(one.about, "initRunning", { container: name, position, count }, [shown(one, log)], log)];
}

/** Reasons for which a container waits to be created. */
function startFindings(one: Observed): Finding[] {
	const { container, status, about, evidence } = one;
	const { name, image = "" } = container;
	const { reason, message = "" } = status.state?.waiting ?? {};
	const show = [commandsIn(evidence.namespace).describe("pod", about.name)];
	switch (reason) {
		case "ErrImagePull":
		case "ImagePullBackOff": {
			const why = reason === "ErrImagePull" ? message : (pullFailure(one) ?? message);
			return [finding(about, "imageMissing", { container: name, image, message: why }, show)];
		}
		case "InvalidImageName":
			return [finding(about, "imageNameInvalid", { container: name, image }, show)];
		case "ErrImageNeverPull":
			return [finding(about, "imageNeverPulled", { container: name, image }, show)];
		case "CreateContainerConfigError":
			return [finding(about, "configMissing", { container: name, message }, show)];
		case "CreateContainerError":
			return [finding(about, "containerNotCreated", { container: name, message }, show)];
		case "RunContainerError":
			return [finding(about, "commandNotFound", { container: name, message }, show)];
		default:
			return [];
	}
}

/** While a container waits, it says only "Back-off pulling image"; the Event of the pull has the cause. */
function pullFailure({ evidence, pod }: Observed): string | undefined {
	const failure = /^Failed to pull image "[^"]*": /;
	const events = evidence.events.filter(({ message = "" }) => failure.test(message));
	return latestEvent({ ...evidence, events }, pod.metadata, "Failed")?.message?.replace(failure, "");
}

function runFindings(one: Observed): Finding[] {
	const crash = crashFindings(one);
	if (crash.length > 0) return crash;
	const { status, about, container, evidence, pod } = one;
	if (status.state?.running === undefined || status.ready) return [];
	const message = latestEvent(evidence, pod.metadata, "Unhealthy")?.message ?? "";
	const log = logOf(one, false);
	const show = [commandsIn(evidence.namespace).describe("pod", about.name), shown(one, log)];
	const code = container.startupProbe !== undefined && status.started !== true ? "notStarted" : "notReady";
	return [finding(about, code, { container: container.name, message }, show, log)];
}

/** A container that ended and is started again. One that runs again is of interest only if its probe kills it. */
function crashFindings(one: Observed): Finding[] {
	const { container, status, about, evidence, pod } = one;
	const { running, waiting, terminated } = status.state ?? {};
	const last = terminated ?? status.lastState?.terminated;
	if (last === undefined || (running !== undefined && status.ready)) return [];
	const { name } = container;
	const log = logOf(one, terminated === undefined);
	const show = [shown(one, log), commandsIn(evidence.namespace).describe("pod", about.name)];
	const killed = latestEvent(evidence, pod.metadata, "Killing")?.message ?? "";
	if (/failed (liveness|startup) probe/.test(killed)) {
		const message = latestEvent(evidence, pod.metadata, "Unhealthy")?.message ?? killed;
		return [finding(about, "killedByProbe", { container: name, message }, show.toReversed(), log)];
	}
	if (running !== undefined || (waiting !== undefined && waiting.reason !== "CrashLoopBackOff")) return [];
	if (last.reason === "OOMKilled")
		return [finding(about, "outOfMemory", { container: name, limit: container.resources?.limits?.memory ?? "" }, show)];
	if (last.reason === "StartError" || last.reason === "ContainerCannotRun")
		return [finding(about, "commandNotFound", { container: name, message: last.message ?? "" }, show.slice(1))];
	const params = { container: name, restarts: status.restartCount, exitCode: last.exitCode };
	return [finding(about, "crashing", params, show, log)];
}

function logOf({ pod, container }: Observed, previous: boolean): LogRef {
	return { pod: pod.metadata.name, container: container.name, previous };
}

function shown({ evidence }: Observed, { pod, container, previous }: LogRef): string {
	return commandsIn(evidence.namespace).logs(pod, container, previous);
}
