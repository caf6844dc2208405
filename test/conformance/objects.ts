/** What the tests create, as JSON. */
import type { Json } from "./harness.ts";

export const images = {
	agnhost: "registry.k8s.io/e2e-test-images/agnhost:2.53",
	httpd: "registry.k8s.io/e2e-test-images/httpd:2.4.38-4",
	httpdNew: "registry.k8s.io/e2e-test-images/httpd:2.4.39-4",
	nginx: "registry.k8s.io/e2e-test-images/nginx:1.14-4",
	busybox: "registry.k8s.io/e2e-test-images/busybox:1.36.1-1",
	pause: "registry.k8s.io/pause:3.10",
};

/** A pod of one container, with a short grace period so that tests end soon. */
export function podOf(name: string, container: Json, spec: Json = {}, metadata: Json = {}): Json {
	return {
		metadata: { name, ...metadata },
		spec: {
			terminationGracePeriodSeconds: 0,
			restartPolicy: "Never",
			...spec,
			containers: [{ name: "main", image: images.agnhost, ...container }, ...(spec.containers ?? [])],
		},
	};
}

export function templateOf(labels: Json, container: Json, spec: Json = {}): Json {
	return {
		metadata: { labels },
		spec: {
			terminationGracePeriodSeconds: 0,
			...spec,
			containers: [{ name: "main", image: images.httpd, ...container }],
		},
	};
}

/** A container that runs a script. */
export function shell(script: string, more: Json = {}): Json {
	return { image: images.busybox, command: ["sh", "-c", script], ...more };
}

/** A pod that does nothing until it is told to end. */
export function pauseOf(name: string, metadata: Json = {}): Json {
	return podOf(name, { image: images.pause }, {}, metadata);
}

export function rcOf(name: string, replicas: number, label: string): Json {
	return {
		metadata: { name },
		spec: { replicas, selector: { name: label }, template: templateOf({ name: label }, { image: images.pause }) },
	};
}

export function jobOf(name: string, command: string, spec: Json = {}, podSpec: Json = {}): Json {
	const container = { name: "c", image: images.busybox, command: ["/bin/sh", "-c", command], securityContext: {} };
	return {
		metadata: { name },
		spec: {
			parallelism: 2,
			completions: 4,
			backoffLimit: 6,
			...spec,
			template: {
				metadata: { labels: { "conformance-job": name } },
				spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 0, ...podSpec, containers: [container] },
			},
		},
	};
}
