/** A pod reconstructed from its containers after it was deleted from the API. Pure. */
import type { Pod } from "../../kinds/generated/types.ts";
import type { PodRuntime } from "../context/runtime-view.ts";
import { graceAnnotation } from "./container-config.ts";

export function orphanPod(uid: string, { sandboxes, containers }: PodRuntime, nodeName: string): Pod {
	const config = sandboxes.at(-1)?.config;
	const labels = containers.at(-1)?.config.labels ?? {};
	const names = new Map(containers.map((container) => [container.config.name, container.config.image]));
	const grace = Number(containers.at(-1)?.config.annotations[graceAnnotation] ?? 30);
	return {
		apiVersion: "v1",
		kind: "Pod",
		metadata: {
			name: config?.name ?? labels["io.kubernetes.pod.name"] ?? uid,
			namespace: config?.namespace ?? labels["io.kubernetes.pod.namespace"] ?? "default",
			uid,
			resourceVersion: "",
			creationTimestamp: "",
			...(config && { labels: { ...config.labels } }),
		},
		spec: {
			nodeName,
			hostNetwork: config?.hostNetwork ?? false,
			terminationGracePeriodSeconds: grace,
			containers: [...names].map(([name, image]) => ({ name, image })),
		},
	};
}
