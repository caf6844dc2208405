import { stringify } from "yaml";

/** A StatefulSet of two pods, one on each node, as YAML. Without a grace period, so that tests end soon. */
export function spreadSet(set: {
	name: string;
	serviceName?: string;
	container: object;
	/** Fields of the set's spec besides those. */
	spec?: object;
}): string {
	const { name, serviceName = name, container, spec = {} } = set;
	const matchLabels = { app: name };
	const constraint = {
		maxSkew: 1,
		topologyKey: "kubernetes.io/hostname",
		whenUnsatisfiable: "DoNotSchedule",
		labelSelector: { matchLabels },
	};
	return stringify({
		apiVersion: "apps/v1",
		kind: "StatefulSet",
		metadata: { name },
		spec: {
			serviceName,
			replicas: 2,
			selector: { matchLabels },
			template: {
				metadata: { labels: matchLabels },
				spec: {
					terminationGracePeriodSeconds: 0,
					topologySpreadConstraints: [constraint],
					containers: [{ name, ...container }],
				},
			},
			...spec,
		},
	});
}

/** The container of a web server that says its pod's name at /hostname, and is ready when it does. */
export const webServer = {
	image: "registry.k8s.io/e2e-test-images/agnhost:2.53",
	args: ["netexec", "--http-port=8080"],
	ports: [{ name: "http", containerPort: 8080 }],
	readinessProbe: { httpGet: { path: "/hostname", port: "http" }, periodSeconds: 1 },
};
