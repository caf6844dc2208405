/** Placement of pods, and preemption. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, type Json, json, merge, type Namespace, strategic } from "./harness.ts";
import { images, podOf } from "./objects.ts";

conformance("scheduling", 2, (target) => {
	/** Gives a node an amount of a resource of the test's own, as a device plugin would. */
	const advertise = (node: string, resource: string, amount: string) => {
		const name = resource.replace("/", "~1");
		const operation = (list: string) => ({ op: "add", path: `/status/${list}/${name}`, value: amount });
		return target().patch(`/api/v1/nodes/${node}/status`, json, [operation("capacity"), operation("allocatable")]);
	};
	const asking = (name: string, resource: string, amount: string, spec: Json = {}): Json => {
		const resources = { requests: { [resource]: amount }, limits: { [resource]: amount } };
		return podOf(name, { image: images.pause, resources }, spec);
	};
	const waits = (pod: Json) => condition(pod, "PodScheduled")?.reason === "Unschedulable";

	test.concurrent("node selectors are respected, also when the node gets its label later", async () => {
		await using space = await target().namespace("selector");
		const key = `test.example/${space.name}`;
		await target().post(space.core("pods"), podOf("picky", { image: images.pause }, { nodeSelector: { [key]: "42" } }));
		const pending = await space.until(space.core("pods", "picky"), waits);
		expect(condition(pending, "PodScheduled").message).toContain("didn't match Pod's node affinity/selector");
		await target().kubectl("label", "node", "node-2", `${key}=42`);
		expect((await space.running("picky")).spec.nodeName).toBe("node-2");
	});

	test.concurrent("what a node has of a resource is given once", async () => {
		await using space = await target().namespace("amounts");
		const resource = `example.com/${space.name}`;
		await advertise("node-1", resource, "3");
		await space.run(asking("fits", resource, "2"));
		await target().post(space.core("pods"), asking("waits", resource, "2"));
		const pending = await space.until(space.core("pods", "waits"), waits);
		expect(condition(pending, "PodScheduled").message).toContain(`Insufficient ${resource}`);
		await target().delete(space.core("pods", "fits"));
		expect((await space.running("waits")).spec.nodeName).toBe("node-1");
	});

	test.concurrent("a pod of higher priority takes the place of one of lower, which is told so", async () => {
		await using space = await target().namespace("preemption");
		const resource = `example.com/${space.name}`;
		const classes = { low: 1, high: 1000, never: 1001 };
		const className = (name: string) => `${space.name}-${name}`;
		const path = "/apis/scheduling.k8s.io/v1/priorityclasses";
		for (const [name, value] of Object.entries(classes)) {
			const preemptionPolicy = name === "never" ? "Never" : "PreemptLowerPriority";
			await target().post(path, { metadata: { name: className(name) }, value, preemptionPolicy });
		}
		await advertise("node-1", resource, "3");
		const of = (name: string) => ({ priorityClassName: className(name), terminationGracePeriodSeconds: 1 });
		const finalizers = ["example.com/looking"];
		await target().post(space.core("pods"), {
			...asking("victim", resource, "2", of("low")),
			metadata: { name: "victim", finalizers },
		});
		await space.running("victim");
		await target().post(space.core("pods"), asking("polite", resource, "2", of("never")));
		const polite = await space.until(space.core("pods", "polite"), waits);
		expect(polite.status.nominatedNodeName).toBeUndefined();
		await target().delete(space.core("pods", "polite"));
		await target().post(space.core("pods"), asking("winner", resource, "2", of("high")));
		expect((await space.running("winner")).spec).toMatchObject({ nodeName: "node-1", priority: 1000 });
		const victim = await target().get(space.core("pods", "victim"));
		expect(condition(victim, "DisruptionTarget")).toMatchObject({ status: "True", reason: "PreemptionByScheduler" });
		await target().patch(space.core("pods", "victim"), json, [{ op: "remove", path: "/metadata/finalizers" }]);
		const change = await target().send(
			"PATCH",
			`${path}/${className("low")}`,
			{ value: 2 },
			{ "Content-Type": "application/merge-patch+json" },
		);
		expect(change.status).toBe(422);
		for (const name of Object.keys(classes)) await target().delete(`${path}/${className(name)}`);
	});

	/** A priority class for each name, in their order, least first. */
	const priorities = async (space: Namespace, ...names: string[]) => {
		for (const [value, name] of names.entries())
			await target().post("/apis/scheduling.k8s.io/v1/priorityclasses", {
				metadata: { name: `${space.name}-${name}` },
				value: (value + 1) * 100,
			});
	};
	const isGoing = async (space: Namespace, name: string) => {
		const { status, body } = await target().send("GET", space.core("pods", name));
		return status === 404 || body.metadata.deletionTimestamp !== undefined;
	};

	// Seen once in three whole gates: a nomination was missing, or a pod whose victims are gone still waited after 40 s.
	test.concurrent("the highest priority gets what is becoming free, no matter who made it free", {
		timeout: 60_000,
		retry: 1,
	}, async () => {
		await using space = await target().namespace("async-preemption");
		await priorities(space, "low", "medium", "high");
		const resource = `example.com/${space.name}`;
		const nodes = ["node-1", "node-2"];
		for (const node of nodes) await advertise(node, resource, "4");
		const of = (priority: string, more: Json = {}) => ({ priorityClassName: `${space.name}-${priority}`, ...more });
		const post = (name: string, spec: Json) => target().post(space.core("pods"), asking(name, resource, "1", spec));
		const names = (priority: string, count: number) =>
			nodes.flatMap((_, node) => Array.from({ length: count }, (_, index) => `${priority}-${node}-${index}`));
		// They take their time to go: nobody can be scheduled in the meantime.
		for (const name of names("low", 4)) {
			const pod = asking(name, resource, "1", of("low", { terminationGracePeriodSeconds: 80 }));
			pod.spec.containers[0].lifecycle = { preStop: { sleep: { seconds: 79 } } };
			await target().post(space.core("pods"), pod);
		}
		for (const name of names("low", 4)) await space.running(name);
		for (const name of names("medium", 4)) await post(name, of("medium"));
		await eventually(async () => {
			for (const name of names("low", 4)) expect(await isGoing(space, name), name).toBe(true);
		});
		for (const name of names("high", 2)) await post(name, of("high"));
		for (const name of names("high", 2))
			await space.until(space.core("pods", name), ({ status }) => (status.nominatedNodeName ?? "") !== "");
		for (const name of names("low", 4)) await target().delete(space.core("pods", name), { gracePeriodSeconds: 0 });
		for (const name of names("high", 2)) await space.running(name);
		const placed = async () => (await space.pods()).filter(({ spec }) => spec.nodeName !== undefined).length;
		await eventually(async () => expect(await placed()).toBe(8));
	});

	test.concurrent("pods that a disruption budget protects are left alone as long as others will do", {
		timeout: 60_000,
		retry: 1,
	}, async () => {
		await using space = await target().namespace("budget-a");
		await using other = await target().namespace("budget-b");
		await priorities(space, "low", "medium", "high");
		const resource = `example.com/${space.name}`;
		await advertise("node-1", resource, "4");
		const of = (priority: string) => ({
			priorityClassName: `${space.name}-${priority}`,
			terminationGracePeriodSeconds: 1,
			nodeSelector: { "kubernetes.io/hostname": "node-1" },
		});
		const all = [
			[space, "low-1", "low"],
			[space, "low-2", "low"],
			[other, "mid-1", "medium"],
			[other, "mid-2", "medium"],
		] as const;
		for (const [where, name, priority] of all) {
			const pod = asking(name, resource, "1", of(priority));
			await where.run({ ...pod, metadata: { name } });
		}
		const budget = space.group("policy/v1", "poddisruptionbudgets", "all");
		await target().post(space.group("policy/v1", "poddisruptionbudgets"), {
			metadata: { name: "all" },
			spec: { minAvailable: 2, selector: {} },
		});
		await space.until(budget, ({ status }) => status?.currentHealthy === 2 && status.disruptionsAllowed === 0);
		const preempt = async (name: string) => {
			await target().post(space.core("pods"), asking(name, resource, "2", of("high")));
			await space.running(name);
		};
		await preempt("first");
		for (const name of ["low-1", "low-2"]) expect(await isGoing(space, name)).toBe(false);
		for (const name of ["mid-1", "mid-2"]) expect(await isGoing(other, name)).toBe(true);
		await target().patch(budget, merge, { spec: { minAvailable: 1 } });
		await space.until(budget, ({ status }) => status.disruptionsAllowed === 2);
		await preempt("second");
		for (const name of ["low-1", "low-2"]) expect(await isGoing(space, name)).toBe(true);
	});

	test.concurrent("only as many make way as must, and only once", async () => {
		await using space = await target().namespace("preempted-once");
		await priorities(space, "first", "second", "third", "fourth");
		const resource = `example.com/${space.name}`;
		await advertise("node-1", resource, "1000");
		const spec = (priority: string, amount: string) => ({
			...asking("any", resource, amount, { restartPolicy: "Always" }).spec,
			priorityClassName: `${space.name}-${priority}`,
			nodeSelector: { "kubernetes.io/hostname": "node-1" },
		});
		const sets = { first: "200", second: "300", third: "450" };
		for (const [name, amount] of Object.entries(sets)) {
			const labels = { set: name };
			await target().post(space.group("apps/v1", "replicasets"), {
				metadata: { name },
				spec: {
					replicas: 1,
					selector: { matchLabels: labels },
					template: { metadata: { labels }, spec: spec(name, amount) },
				},
			});
			await space.until(space.group("apps/v1", "replicasets", name), ({ status }) => status.readyReplicas === 1);
		}
		const { metadata } = await target().get(space.core("pods"));
		await target().post(space.core("pods"), { metadata: { name: "preemptor" }, spec: spec("fourth", "500") });
		await space.running("preemptor");
		await new Promise((resolve) => setTimeout(resolve, 3000));
		await target().post(space.core("pods"), { metadata: { name: "end" }, spec: spec("first", "1") });
		const made: string[] = [];
		await target().watch(space.core("pods"), metadata.resourceVersion, ({ type, object }) => {
			if (type === "ADDED") made.push(object.metadata.labels?.set ?? object.metadata.name);
			return object.metadata.name === "end";
		});
		expect(made.sort()).toEqual(["end", "first", "preemptor", "second"]);
	}, 60_000);

	test.concurrent("a set's pods wait until each has lost its last gate", async () => {
		await using space = await target().namespace("gates");
		const labels = { set: "gated" };
		const spec = {
			...podOf("any", { image: images.pause }, { restartPolicy: "Always" }).spec,
			schedulingGates: [{ name: "foo" }, { name: "bar" }],
		};
		await target().post(space.group("apps/v1", "replicasets"), {
			metadata: { name: "gated" },
			spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
		});
		const all = (holds: (pod: Json) => boolean) =>
			eventually(async () => {
				const pods = await space.pods();
				expect(pods.filter(holds).length).toBe(3);
				return pods;
			});
		const isGated = (pod: Json) => condition(pod, "PodScheduled")?.reason === "SchedulingGated";
		// As a client writes the difference between two pods.
		const remove = (pods: Json[], name: string, left: string[]) => {
			const gates = [{ $patch: "delete", name }];
			const order = left.map((each) => ({ name: each }));
			const body = { spec: { "$setElementOrder/schedulingGates": order, schedulingGates: gates } };
			return Promise.all(
				pods.map(({ metadata }) => target().patch(space.core("pods", metadata.name), strategic, body)),
			);
		};
		const pods = await all(isGated);
		for (const pod of await remove(pods, "foo", ["bar"])) expect(pod.spec.schedulingGates).toEqual([{ name: "bar" }]);
		await all(isGated);
		for (const pod of await remove(pods, "bar", [])) expect(pod.spec.schedulingGates ?? []).toEqual([]);
		await all(({ status }) => status.phase === "Running");
	});

	test.concurrent("a volume may name nodes that there are not beside the one to use", async () => {
		await using space = await target().namespace("volume-nodes");
		const values = ["node-2", `${space.name}-1`, `${space.name}-2`];
		const volume = `/api/v1/persistentvolumes/${space.name}`;
		await target().post("/api/v1/persistentvolumes", {
			metadata: { name: space.name },
			spec: {
				capacity: { storage: "1Gi" },
				accessModes: ["ReadWriteOnce"],
				persistentVolumeReclaimPolicy: "Retain",
				local: { path: "/tmp" },
				claimRef: { namespace: space.name, name: "data" },
				nodeAffinity: {
					required: {
						nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values }] }],
					},
				},
			},
		});
		await target().post(space.core("persistentvolumeclaims"), {
			metadata: { name: "data" },
			spec: {
				accessModes: ["ReadWriteOnce"],
				resources: { requests: { storage: "1Gi" } },
				storageClassName: "",
				volumeName: space.name,
			},
		});
		const mounted = { image: images.pause, volumeMounts: [{ name: "data", mountPath: "/tmp" }] };
		const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
		expect((await space.run(podOf("user", mounted, { volumes }))).spec.nodeName).toBe("node-2");
		await target().delete(volume);
	});

	test.concurrent("spread over nodes: no more than one apart, and a third one waits where that is forbidden", async () => {
		await using space = await target().namespace("spread");
		const key = `test.example/${space.name}`;
		for (const node of ["node-1", "node-2"]) await target().kubectl("label", "node", node, `${key}=${node}`);
		const spread = {
			topologySpreadConstraints: [
				{
					maxSkew: 1,
					topologyKey: key,
					whenUnsatisfiable: "DoNotSchedule",
					// Nodes that a pod's own selector leaves out count all the same.
					nodeAffinityPolicy: "Ignore",
					labelSelector: { matchLabels: { spread: space.name } },
				},
			],
		};
		const labels = { spread: space.name };
		const nodes = [];
		for (const name of ["a", "b", "c"]) {
			await target().post(space.core("pods"), podOf(name, { image: images.pause }, spread, { labels }));
			nodes.push((await space.running(name)).spec.nodeName);
		}
		expect(new Set(nodes.slice(0, 2)).size).toBe(2);
		const [, , third] = nodes;
		const bound = { ...spread, nodeSelector: { [key]: third } };
		await target().post(space.core("pods"), podOf("d", { image: images.pause }, bound, { labels }));
		const pending = await space.until(space.core("pods", "d"), waits);
		expect(condition(pending, "PodScheduled").message).toContain("topology spread constraints");
	});
});

// On a cluster of its own: the taint drives everybody else's pods away.
conformance("taints", 2, (target) => {
	test.concurrent("NoExecute taints evict after the seconds tolerated, and not when taken away in time", async () => {
		await using space = await target().namespace("taints");
		const { items } = await target().get("/api/v1/nodes");
		const node = items[1].metadata.name;
		const key = `evict-${space.name}`;
		const tolerating = (name: string, seconds?: number) =>
			podOf(
				name,
				{ image: images.pause },
				{
					nodeName: node,
					tolerations: [
						{
							key,
							operator: "Exists",
							effect: "NoExecute",
							...(seconds === undefined ? {} : { tolerationSeconds: seconds }),
						},
					],
				},
			);
		for (const pod of [tolerating("short", 2), tolerating("long", 600), tolerating("ever")]) await space.run(pod);
		const taint = async (change: (taints: Json[]) => Json[]) =>
			target().update(`/api/v1/nodes/${node}`, (object) => {
				object.spec.taints = change(object.spec.taints ?? []);
			});
		await taint((taints) => [...taints, { key, value: "evictTaintVal", effect: "NoExecute" }]);
		await space.gone(space.core("pods", "short"));
		await taint((taints) => taints.filter((entry) => entry.key !== key));
		expect((await space.pods()).map((pod) => pod.metadata.name)).toEqual(["ever", "long"]);
	});
});
