/** The StatefulSet that tests of StatefulSets are about. */
import { expect } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { isReady, type Json, type Namespace, strategic } from "./harness.ts";
import { templateOf } from "./objects.ts";

/** Of its pods. */
export const labels = { foo: "bar", baz: "blah" };
/** Selects the pods. */
export const selector = "baz=blah,foo=bar";
/** Ready while the page is there. */
export const probe = {
	httpGet: { path: "/index.html", port: 80 },
	periodSeconds: 1,
	successThreshold: 1,
	failureThreshold: 1,
};

/** The StatefulSet `ss` of web servers. */
export function setOf(replicas: number, spec: Json = {}, container: Json = { readinessProbe: probe }): Json {
	return {
		metadata: { name: "ss" },
		spec: {
			replicas,
			serviceName: "test",
			selector: { matchLabels: labels },
			template: templateOf(labels, { name: "webserver", ...container }),
			updateStrategy: { type: "RollingUpdate" },
			...spec,
		},
	};
}

/** Creates it with its service; resolves when all its pods are ready. */
export async function start(space: Namespace, set: Json): Promise<Json> {
	await space.target.post(space.core("services"), {
		metadata: { name: "test" },
		spec: { clusterIP: "None", selector: labels, ports: [{ port: 80, name: "http" }] },
	});
	await space.target.post(space.apps("statefulsets"), set);
	return allReady(space, set.spec.replicas);
}

/** As many pods as said, all Running and Ready, and the status says so of this generation. */
export async function allReady(space: Namespace, count: number): Promise<Json> {
	await eventually(async () => {
		const pods = await space.pods(selector);
		expect(pods.map((pod) => [pod.metadata.name, isReady(pod)])).toEqual(
			Array.from({ length: count }, (_, ordinal) => [`ss-${ordinal}`, true]),
		);
	});
	return space.until(
		space.apps("statefulsets", "ss"),
		({ status, metadata }) =>
			status.observedGeneration === metadata.generation && (status.readyReplicas ?? 0) === count,
	);
}

/** Patches the number of replicas. */
export const scale = (space: Namespace, replicas: number) =>
	space.target.patch(space.apps("statefulsets", "ss"), strategic, { spec: { replicas } });
