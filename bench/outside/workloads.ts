/** Workloads on simulated nodes. */
import { daemonSets, deployments, jobs, type Kind, type KubeObject, statefulSets } from "../../src/index.ts";

export interface Workload {
	what: string;
	kind: Kind;
	/** Number of objects of the kind, and of all their pods. */
	objects: number;
	pods: number;
	/** JSON of one object with `%d` in its name. The prefix is its label `app` and that of its pods. */
	body(prefix: string): string;
	isDone(object: KubeObject): boolean;
}

export const namespace = "default";
/** Label of the nodes on which workloads run. */
export const nodeLabel = "bench.coxswain.io/node";

function template(app: string, spec: object = {}, annotations: Record<string, string> = {}) {
	const containers = [{ name: "main", image: "bench" }];
	return {
		metadata: { labels: { app }, annotations },
		spec: { nodeSelector: { [nodeLabel]: "" }, containers, ...spec },
	};
}

function workload<T extends KubeObject>(
	of: Pick<Workload, "what" | "objects" | "pods"> & { kind: Kind<T>; spec(app: string): object },
	isDone: (object: T) => boolean | undefined,
): Workload {
	const { what, objects, pods, kind } = of;
	const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
	return {
		what,
		objects,
		pods,
		// `isDone` receives only objects of the kind.
		kind: kind as unknown as Kind,
		isDone: (object) => isDone(object as T) === true,
		body: (app) =>
			JSON.stringify({
				apiVersion,
				kind: kind.kind,
				metadata: { name: `${app}-%d`, namespace, labels: { app } },
				spec: of.spec(app),
			}),
	};
}

const selector = (app: string) => ({ matchLabels: { app } });

/** By name. @param count of Jobs, replicas or nodes */
export const workloads: Readonly<Record<string, (count: number) => Workload>> = {
	jobs: (count) =>
		workload(
			{
				what: `${count} Jobs of one pod, all Complete`,
				kind: jobs,
				objects: count,
				pods: count,
				spec: (app) => ({
					template: template(app, { restartPolicy: "Never" }, { "simulate.coxswain.io/duration": "1ms" }),
				}),
			},
			({ status }) => status?.conditions?.some(({ type, status: is }) => type === "Complete" && is === "True"),
		),
	statefulset: (count) =>
		workload(
			{
				what: `Parallel StatefulSet of ${count}, ready`,
				kind: statefulSets,
				objects: 1,
				pods: count,
				spec: (app) => ({
					replicas: count,
					serviceName: app,
					podManagementPolicy: "Parallel",
					selector: selector(app),
					template: template(app),
				}),
			},
			({ status }) => status?.readyReplicas === count,
		),
	daemonset: (count) =>
		workload(
			{
				what: `DaemonSet over ${count} nodes, ready`,
				kind: daemonSets,
				objects: 1,
				pods: count,
				spec: (app) => ({ selector: selector(app), template: template(app) }),
			},
			({ status }) => status?.numberReady === count,
		),
	deployment: (count) =>
		workload(
			{
				what: `Deployment of ${count}, available`,
				kind: deployments,
				objects: 1,
				pods: count,
				spec: (app) => ({ replicas: count, selector: selector(app), template: template(app) }),
			},
			({ status }) => status?.availableReplicas === count,
		),
};
