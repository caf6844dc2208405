import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, merge, type Namespace, strategic } from "./harness.ts";
import { images, templateOf } from "./objects.ts";

const labels = { "daemonset-name": "daemon-set" };
const selector = "daemonset-name=daemon-set";

function daemonSet(spec: Json = {}, podSpec: Json = {}): Json {
	return {
		metadata: { name: "daemon-set", labels },
		spec: {
			selector: { matchLabels: labels },
			template: templateOf(labels, { name: "app", ports: [{ containerPort: 9376 }] }, podSpec),
			...spec,
		},
	};
}

const path = (space: Namespace) => space.apps("daemonsets", "daemon-set");
const create = (space: Namespace, set: Json) => space.target.post(space.apps("daemonsets"), set);
const nodeNames = async (space: Namespace): Promise<string[]> =>
	(await space.target.get("/api/v1/nodes")).items.map((node: Json) => node.metadata.name).sort();

/** One running pod on each of the nodes and no other, and the status counts them. */
async function runsOn(space: Namespace, nodes: readonly string[]): Promise<Json> {
	await eventually(async () => {
		const pods = await space.pods(selector);
		expect(
			pods
				.filter(isReady)
				.map((pod) => pod.spec.nodeName)
				.sort(),
		).toEqual([...nodes].sort());
		expect(pods).toHaveLength(nodes.length);
	});
	return space.until(
		path(space),
		({ status, metadata }) =>
			status.observedGeneration === metadata.generation &&
			status.desiredNumberScheduled === nodes.length &&
			status.currentNumberScheduled === nodes.length &&
			status.numberReady === nodes.length,
	);
}

const setImage = (space: Namespace, image: string) =>
	space.target.patch(path(space), strategic, {
		spec: { template: { spec: { containers: [{ name: "app", image }] } } },
	});
const histories = async (space: Namespace): Promise<Json[]> => {
	const { items } = await space.target.get(`${space.apps("controllerrevisions")}?labelSelector=${selector}`);
	return items.toSorted((a: Json, b: Json) => a.revision - b.revision);
};
const hashes = async (space: Namespace) =>
	new Set((await space.pods(selector)).map((pod) => pod.metadata.labels["controller-revision-hash"]));

conformance("DaemonSet", "shared", (target) => {
	test.concurrent("a simple daemon runs on every node, and a deleted pod comes back", async () => {
		await using space = await target().namespace("ds-simple");
		await create(space, daemonSet());
		const nodes = await nodeNames(space);
		await runsOn(space, nodes);
		const [victim] = await space.pods(selector);
		await target().delete(space.core("pods", victim.metadata.name));
		await space.gone(space.core("pods", victim.metadata.name));
		await runsOn(space, nodes);
	});

	test.concurrent("a complex daemon follows the labels of nodes and its own node selector", async () => {
		await using space = await target().namespace("ds-complex");
		const key = `color-${space.name}`;
		await create(space, daemonSet({}, { nodeSelector: { [key]: "blue" } }));
		const [first = ""] = await nodeNames(space);
		await runsOn(space, []);
		const label = (value: string | null) =>
			target().patch(`/api/v1/nodes/${first}`, strategic, { metadata: { labels: { [key]: value } } });
		await label("blue");
		await runsOn(space, [first]);
		await label("green");
		await runsOn(space, []);
		await target().patch(path(space), strategic, {
			spec: { template: { spec: { nodeSelector: { [key]: "green" } } }, updateStrategy: { type: "RollingUpdate" } },
		});
		await runsOn(space, [first]);
		await label(null);
		await runsOn(space, []);
	});

	test.concurrent("a pod whose phase someone sets to Failed is replaced", async () => {
		await using space = await target().namespace("ds-failed");
		await create(space, daemonSet());
		const nodes = await nodeNames(space);
		await runsOn(space, nodes);
		const [victim] = await space.pods(selector);
		delete victim.metadata.resourceVersion;
		victim.status.phase = "Failed";
		await target().put(`${space.core("pods", victim.metadata.name)}/status`, victim);
		await space.gone(space.core("pods", victim.metadata.name));
		await runsOn(space, nodes);
	});

	test.concurrent("a rolling update changes all pods, and keeps a history with labels", async () => {
		await using space = await target().namespace("ds-update");
		await create(space, daemonSet({ updateStrategy: { type: "RollingUpdate" } }));
		const nodes = await nodeNames(space);
		await runsOn(space, nodes);
		const [first] = await histories(space);
		expect(first.revision).toBe(1);
		expect(await hashes(space)).toEqual(new Set([first.metadata.labels["controller-revision-hash"]]));
		await setImage(space, images.agnhost);
		await eventually(async () => {
			const pods = await space.pods(selector);
			expect(pods.map((pod) => pod.spec.containers[0].image)).toEqual(nodes.map(() => images.agnhost));
		});
		await runsOn(space, nodes);
		const [, second] = await histories(space);
		expect(second.revision).toBe(2);
		expect(await hashes(space)).toEqual(new Set([second.metadata.labels["controller-revision-hash"]]));
	});

	test.concurrent("a roll back in the middle of a bad update leaves the pods that were not touched", async () => {
		await using space = await target().namespace("ds-rollback");
		await create(space, daemonSet({ updateStrategy: { type: "RollingUpdate" } }));
		const nodes = await nodeNames(space);
		await runsOn(space, nodes);
		const bad = "foo:non-existent";
		await setImage(space, bad);
		const during = await eventually(async () => {
			const pods = await space.pods(selector);
			expect(pods.some((pod) => pod.spec.containers[0].image === bad)).toBe(true);
			return pods;
		});
		const kept = during.filter(
			(pod) => pod.spec.containers[0].image === images.httpd && !pod.metadata.deletionTimestamp,
		);
		expect(kept).not.toEqual([]);
		await setImage(space, images.httpd);
		await runsOn(space, nodes);
		const after = (await space.pods(selector)).map((pod) => pod.metadata.uid);
		expect(after).toEqual(expect.arrayContaining(kept.map((pod) => pod.metadata.uid)));
	});

	test.concurrent("a surge has the new pod ready beside the old one, whatever happens to either", async () => {
		await using space = await target().namespace("ds-surge");
		const versionOf = ({ spec }: Json): string => spec.containers[0].env[0].value;
		const set = daemonSet({
			minReadySeconds: 1,
			updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "20%" } },
		});
		const probe = `touch /var/tmp/ready; [[ "$( cat /var/tmp/ready )" == "" ]]`;
		set.spec.template.spec.terminationGracePeriodSeconds = 10;
		Object.assign(set.spec.template.spec.containers[0], {
			env: [{ name: "VERSION", value: "1" }],
			lifecycle: { preStop: { exec: { command: ["/bin/sh", "-c", "sleep 2"] } } },
			readinessProbe: { exec: { command: ["/bin/sh", "-ec", probe] }, periodSeconds: 1, failureThreshold: 1 },
		});
		await create(space, set);
		const nodes = await nodeNames(space);
		await runsOn(space, nodes);
		const env = [{ name: "VERSION", value: "2" }];
		await target().patch(path(space), strategic, {
			spec: { template: { spec: { containers: [{ name: "app", env }] } } },
		});
		const disturbed = new Set<string>();
		const tooMany: string[] = [];
		const live = ({ metadata }: Json) => metadata.deletionTimestamp === undefined;
		/** One old pod is made unready, and one new pod deleted, once each. */
		const disturb = async (pods: Json[]) => {
			const old = pods.find((pod) => live(pod) && isReady(pod) && versionOf(pod) === "1");
			if (old && !disturbed.has("old")) {
				disturbed.add("old");
				await space.exec(old.metadata.name, "echo 0 >/var/tmp/ready").catch(() => {});
			}
			const fresh = pods.find((pod) => live(pod) && versionOf(pod) === "2");
			if (fresh && !disturbed.has("new")) {
				disturbed.add("new").add(fresh.metadata.uid);
				await target().delete(space.core("pods", fresh.metadata.name));
			}
		};
		await eventually(async () => {
			const pods = await space.pods(selector);
			await disturb(pods);
			for (const node of nodes) {
				const here = pods.filter((pod) => pod.spec.nodeName === node && !disturbed.has(pod.metadata.uid));
				const kinds = here.map((pod) => (live(pod) ? `live of version ${versionOf(pod)}` : "ending"));
				if (new Set(kinds).size < kinds.length) tooMany.push(`${node}: ${kinds.join(", ")}`);
			}
			expect(pods.map(versionOf)).toEqual(nodes.map(() => "2"));
		}, 60_000);
		expect(tooMany).toEqual([]);
		await runsOn(space, nodes);
		const [, second] = await histories(space);
		expect(await hashes(space)).toEqual(new Set([second.metadata.labels["controller-revision-hash"]]));
	}, 90_000);

	test.concurrent("a collection is listed and deleted", async () => {
		await using space = await target().namespace("ds-collection");
		await create(space, daemonSet());
		await runsOn(space, await nodeNames(space));
		const mine = `${selector},run=${space.name}`;
		await target().patch(path(space), merge, { metadata: { labels: { run: space.name } } });
		expect((await target().get(`/apis/apps/v1/daemonsets?labelSelector=${mine}`)).items).toHaveLength(1);
		await target().delete(`${space.apps("daemonsets")}?labelSelector=${mine}`, { gracePeriodSeconds: 1 });
		expect((await target().get(`/apis/apps/v1/daemonsets?labelSelector=${mine}`)).items).toEqual([]);
		await eventually(async () => expect(await space.pods(selector)).toEqual([]));
	});

	test.concurrent("status is read, updated and patched, and a watch sees it", async () => {
		await using space = await target().namespace("ds-status");
		const { metadata } = await target().get(space.apps("daemonsets"));
		await create(space, daemonSet());
		await runsOn(space, await nodeNames(space));
		expect((await target().get(`${path(space)}/status`)).status.numberReady).toBe(3);
		await target().update(
			path(space),
			(set) => {
				set.status.conditions = [{ type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" }];
			},
			"/status",
		);
		const watched = `${space.apps("daemonsets")}?labelSelector=${selector}`;
		await target().watch(
			watched,
			metadata.resourceVersion,
			({ object }) => condition(object, "StatusUpdate") !== undefined,
		);
		await target().patch(`${path(space)}/status`, merge, {
			status: { conditions: [{ type: "StatusPatched", status: "True" }] },
		});
		await target().watch(
			watched,
			metadata.resourceVersion,
			({ object }) => condition(object, "StatusPatched") !== undefined,
		);
	});

	test.concurrent("controller revisions are read, patched, replaced, made and deleted", async () => {
		await using space = await target().namespace("cr-lifecycle");
		await create(space, daemonSet());
		await runsOn(space, await nodeNames(space));
		const revision = (name: string) => space.apps("controllerrevisions", name);
		const [initial] = await histories(space);
		const { name } = initial.metadata;
		const patched = await target().patch(revision(name), strategic, { metadata: { labels: { [name]: "patched" } } });
		expect(patched.metadata.labels[name]).toBe("patched");
		const all = () => histories(space);
		const copy = {
			metadata: {
				name: "daemon-set-by-hand",
				namespace: space.name,
				labels: { ...labels, "controller-revision-hash": "by-hand" },
				ownerReferences: initial.metadata.ownerReferences,
			},
			data: initial.data,
			revision: initial.revision + 1,
		};
		await target().post(space.apps("controllerrevisions"), copy);
		// Nobody tidies up as long as nothing else happens to the set.
		expect(await all()).toHaveLength(2);
		await target().delete(revision(name));
		await eventually(async () => expect((await all()).map((item) => item.metadata.name)).toEqual([copy.metadata.name]));
		await target().update(revision(copy.metadata.name), (object) => {
			object.metadata.labels[copy.metadata.name] = "updated";
		});
		await target().patch(path(space), strategic, {
			spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } },
			updateStrategy: { type: "RollingUpdate" },
		});
		await eventually(async () => expect(await all()).toHaveLength(2));
		await target().delete(`${space.apps("controllerrevisions")}?labelSelector=${copy.metadata.name}%3Dupdated`);
		await eventually(async () => expect((await all()).map((item) => item.revision)).toEqual([3]));
	});
});
