/** The pods behind a service, for Endpoints and EndpointSlices. Pure. */

import type { InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import { selectorFromLabels } from "../../core/selection/selector.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Pod, Service } from "../../kinds/generated/types.ts";
import { services } from "../../kinds/networking/service.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isFinished, isReady, readyCondition } from "../../kinds/pod/pod-lifecycle.ts";
import { sidecarsOf } from "../../kinds/pod/spec/sidecars.ts";

export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";
export const headlessLabel = "service.kubernetes.io/headless";

/** A port on one pod: targetPort names are resolved, and may differ between pods. */
export interface BackendPort {
	name: string;
	protocol: string;
	port: number;
	appProtocol?: string;
}

export interface Backend {
	pod: Pod;
	address: string;
	ready: boolean;
	terminating: boolean;
	nodeName: string | undefined;
	zone: string | undefined;
	hostname: string | undefined;
	ports: BackendPort[];
	/** The ports as text: backends with the same ports share a subset or slice. */
	portsKey: string;
}

export function isHeadless(service: Service): boolean {
	return service.spec.clusterIP === "None";
}

/** Whether the controllers manage its endpoints: it has a selector and is not an ExternalName. */
export function selectsPods(service: Service): boolean {
	const { selector, type } = service.spec;
	return selector !== undefined && Object.keys(selector).length > 0 && type !== "ExternalName";
}

/** Sorted by the names of the pods, so that the order is stable. */
export function backendsOf(service: Service, informers: InformerCache): Backend[] {
	const selector = selectorFromLabels(service.spec.selector);
	const found: Backend[] = [];
	for (const pod of informers.of(pods).list(service.metadata.namespace)) {
		const address = pod.status?.podIP;
		if (address === undefined || address === "" || isFinished(pod) || !selector.matches(pod.metadata.labels ?? {}))
			continue;
		const { nodeName, hostname, subdomain } = pod.spec;
		const node = nodeName === undefined ? undefined : informers.of(nodes).get(undefined, nodeName);
		const ports = portsOf(service, pod);
		found.push({
			pod,
			address,
			ready: isReady(pod),
			terminating: pod.metadata.deletionTimestamp !== undefined,
			nodeName,
			zone: node?.metadata.labels?.["topology.kubernetes.io/zone"],
			hostname: hostname !== undefined && hostname !== "" && subdomain === service.metadata.name ? hostname : undefined,
			ports,
			portsKey: JSON.stringify(ports),
		});
	}
	return found.sort((a, b) => (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1));
}

/** Ports whose name the pod does not have are left out. */
function portsOf(service: Service, pod: Pod): BackendPort[] {
	const found: BackendPort[] = [];
	for (const { name = "", protocol = "TCP", port, targetPort = port, appProtocol } of service.spec.ports ?? []) {
		const number = typeof targetPort === "number" ? targetPort : namedPort(pod, targetPort, protocol);
		if (number === undefined) continue;
		// A headless Service needs no translation; 0 represents the port itself.
		found.push({ name, protocol, port: number === 0 ? port : number, ...(appProtocol ? { appProtocol } : {}) });
	}
	return found;
}

function namedPort(pod: Pod, name: string, protocol: string): number | undefined {
	const sidecars = sidecarsOf(pod.spec);
	for (const container of [...pod.spec.containers, ...sidecars]) {
		for (const port of container.ports ?? []) {
			if (port.name === name && (port.protocol ?? "TCP") === protocol) return port.containerPort;
		}
	}
	// Older versions of the API accepted a number in a string.
	return /^[0-9]+$/.test(name) ? Number(name) : undefined;
}

/** The time of the newest change that the backends reflect, from which latency is measured. */
export function triggerTime(service: Service, backends: readonly Backend[]): string {
	let newest = service.metadata.creationTimestamp;
	for (const { pod } of backends) {
		const since = readyCondition(pod)?.lastTransitionTime;
		if (since !== undefined && since > newest) newest = since;
	}
	return newest;
}

/** The services that a pod's change affects: those that select it, or did before. */
export function* servicesOf(
	current: Pod | undefined,
	old: Pod | undefined,
	informers: InformerCache,
): Iterable<string> {
	if (current !== undefined && old !== undefined && !showsUp(current, old)) return;
	const pod = current ?? old;
	if (pod === undefined) return;
	for (const service of informers.of(services).list(pod.metadata.namespace)) {
		if (!selectsPods(service)) continue;
		const selector = selectorFromLabels(service.spec.selector);
		const matches = (one: Pod | undefined) => one !== undefined && selector.matches(one.metadata.labels ?? {});
		if (matches(current) || matches(old)) yield `${service.metadata.namespace}/${service.metadata.name}`;
	}
}

/** Whether the change is visible in endpoints. */
function showsUp(current: Pod, old: Pod): boolean {
	return (
		current.status?.podIP !== old.status?.podIP ||
		current.status?.phase !== old.status?.phase ||
		isReady(current) !== isReady(old) ||
		current.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		current.spec.nodeName !== old.spec.nodeName ||
		!sameJson(current.metadata.labels, old.metadata.labels)
	);
}
