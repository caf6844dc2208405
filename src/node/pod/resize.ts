/**
 * In-place resize (KEP-1287): the resources that the node has granted to a pod, and the order of waiting pods. Pure.
 */
import type { Container as ContainerSpec, Pod, ResourceRequirements } from "../../kinds/generated/types.ts";
import { type QosClass, qosClass } from "../../kinds/pod/pod-qos.ts";
import type { Container } from "../../runtime/runtime.ts";
import { containerRuntimeState, instances, type PodRuntimeState, type PodState } from "./pod-state.ts";
import { resourcesAnnotation, resourcesKey, specRequests } from "./runtime-resources.ts";

/** The CPU and memory last applied to a container, in the format of `resourcesKey`; undefined if unknown. */
export function givenResources(state: PodState, name: string, instance: Container): string | undefined {
	const { resizedTo } = containerRuntimeState(state, name);
	return resizedTo?.containerId === instance.id
		? resizedTo.resources
		: instance.config.annotations[resourcesAnnotation];
}

/** Whether the API requests resources for the container other than those applied. */
export function isResized(state: PodState, spec: ContainerSpec, instance: Container): boolean {
	const given = givenResources(state, spec.name, instance);
	return given !== undefined && given !== resourcesKey(spec.resources);
}

/** The resources last applied to the pod as a whole; undefined if it has none of its own, or they are unknown. */
export function givenPodResources(state: PodState): string | undefined {
	const { resizedPod } = state.runtimeState;
	const sandbox = state.sandboxes.at(-1);
	if (state.pod.spec.resources === undefined || sandbox === undefined) return undefined;
	return resizedPod?.sandboxId === sandbox.id
		? resizedPod.resources
		: sandbox.config.annotations?.[resourcesAnnotation];
}

/** Whether the API requests resources for the pod as a whole other than those applied. */
export function isPodResized(state: PodState): boolean {
	const given = givenPodResources(state);
	return given !== undefined && given !== resourcesKey(state.pod.spec.resources);
}

/** Whether the request has not been granted: the pod keeps its resources. */
export function isPending(resize: PodRuntimeState["resize"]): boolean {
	return resize?.type === "Deferred" || resize?.type === "Infeasible";
}

/** The pod with the resources that the node has granted. */
export function allocatedPod(state: PodState): Pod {
	const { pod, runtimeState } = state;
	if (!isPending(runtimeState.resize)) return pod;
	const withGiven = (spec: ContainerSpec): ContainerSpec => ({ ...spec, resources: allocated(state, spec) ?? {} });
	const { initContainers, containers } = pod.spec;
	const whole = givenPodResources(state);
	return {
		...pod,
		spec: {
			...pod.spec,
			...(whole === undefined ? {} : { resources: resourcesFromKey(whole) }),
			containers: containers.map(withGiven),
			...(initContainers === undefined ? {} : { initContainers: initContainers.map(withGiven) }),
		},
	};
}

/** The container's resources as granted by the node. */
export function allocated(state: PodState, spec: ContainerSpec): ResourceRequirements | undefined {
	const [newest] = instances(state, spec.name);
	const given = newest === undefined ? undefined : givenResources(state, spec.name, newest);
	if (!isPending(state.runtimeState.resize) || given === undefined) return spec.resources;
	return { ...spec.resources, ...resourcesGiven(spec.resources, given) };
}

/** CPU and memory in the format of `resourcesKey`, combined with the resources of the container that never change. */
export function resourcesGiven(wanted: ResourceRequirements | undefined, given: string): ResourceRequirements {
	const { limits, requests } = resourcesFromKey(given);
	const others = (list: Record<string, string> | undefined) =>
		Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => name !== "cpu" && name !== "memory"));
	return {
		limits: { ...others(wanted?.limits), ...limits },
		requests: { ...others(wanted?.requests), ...requests },
	};
}

/** Why the node can never grant the pod's request; undefined if it could. */
export function infeasibility(pod: Pod, allocatable: ReadonlyMap<string, number>): string | undefined {
	for (const [resource, quantity] of specRequests(pod.spec)) {
		const capacity = allocatable.get(resource) ?? 0;
		if (quantity <= capacity) continue;
		const scale = resource === "cpu" ? 1000 : 1;
		return `Node didn't have enough capacity: ${resource}, requested: ${quantity * scale}, capacity: ${capacity * scale}`;
	}
	return undefined;
}

const classes: readonly QosClass[] = ["Guaranteed", "Burstable", "BestEffort"];

/** Order of pods that wait for resources: by priority, then by quality of service. */
export function compareWaiting(one: Pod, other: Pod): number {
	const priority = (other.spec.priority ?? 0) - (one.spec.priority ?? 0);
	return priority || classes.indexOf(qosClass(one.spec)) - classes.indexOf(qosClass(other.spec));
}

export function resourcesFromKey(key: string): ResourceRequirements {
	const resources: { limits?: Record<string, string>; requests?: Record<string, string> } = {};
	for (const part of key.split(",")) {
		const [path = "", quantity] = part.split("=");
		const [list, name] = path.split(".");
		if ((list !== "limits" && list !== "requests") || name === undefined || quantity === undefined) continue;
		resources[list] = { ...resources[list], [name]: quantity };
	}
	return resources;
}
