import { expect, test } from "vitest";
import { type Random, seededRandom } from "../../core/time/clock.ts";
import type { Node, Pod } from "../../kinds/generated/types.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";
import { Snapshot } from "./snapshot.ts";
import type { PodQuery } from "./tallies.ts";

const metadata = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: "" });

function node(name: string): Node {
	return { apiVersion: "v1", kind: "Node", metadata: metadata(name), spec: {} };
}

function pod(name: string, app: string, cpu: string): PodInfo {
	const labelSelector = { matchLabels: { app } };
	const whole: Pod = {
		apiVersion: "v1",
		kind: "Pod",
		metadata: { ...metadata(name), namespace: "default", labels: { app } },
		spec: {
			containers: [{ name: "main", resources: { requests: { cpu } } }],
			affinity: {
				podAntiAffinity: {
					requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "host", labelSelector }],
				},
			},
		},
	};
	return podInfo(whole);
}

const byApp = (app: string): PodQuery => ({ key: app, matches: ({ labels }) => labels["app"] === app });

/**
 * Places, moves and removes pods at random.
 * @returns the node of each pod
 */
function shuffle(snapshot: Snapshot, random: Random, steps: number): Map<string, { pod: PodInfo; node: string }> {
	const truth = new Map<string, { pod: PodInfo; node: string }>();
	const pick = (count: number) => Math.floor(random() * count);
	for (let step = 0; step < steps; step++) {
		const name = `p${pick(40)}`;
		const where = `n${pick(6)}`;
		const chance = random();
		if (chance < 0.6) {
			const info = pod(name, `app${pick(4)}`, `${1 + pick(9)}00m`);
			snapshot.place(info, where);
			truth.set(info.key, { pod: info, node: where });
		} else if (chance < 0.9) {
			snapshot.remove(`default/${name}`);
			truth.delete(`default/${name}`);
		} else if (snapshot.node(where) === undefined) snapshot.setNode(node(where));
		else snapshot.removeNode(where);
		if (step % 7 === 0) snapshot.count(byApp(`app${pick(4)}`));
	}
	return truth;
}

test.each([1, 2, 3, 4, 5])("keeps count of whatever comes and goes (seed %i)", (seed) => {
	const snapshot = new Snapshot();
	const truth = [...shuffle(snapshot, seededRandom(seed), 2000).values()];
	for (let number = 0; number < 6; number++) snapshot.setNode(node(`n${number}`));
	for (const info of snapshot.nodes) {
		const here = truth.filter(({ node }) => node === info.name);
		expect([...info.pods.keys()].sort()).toEqual(here.map(({ pod }) => pod.key).sort());
		expect(info.requested.milliCpu).toBe(here.reduce((sum, { pod }) => sum + pod.requests.milliCpu, 0));
	}
	for (const app of ["app0", "app1", "app2", "app3"]) {
		const expected = new Map<string, number>();
		for (const { pod, node } of truth) if (pod.labels["app"] === app) expected.set(node, (expected.get(node) ?? 0) + 1);
		const sorted = (counts: Iterable<[string, number]>) => [...counts].sort();
		expect(sorted(snapshot.count(byApp(app)))).toEqual(sorted(expected));
		const against = [...snapshot.antiAffinityAgainst(pod("new", app, "1"))].flatMap(({ counts }) => [...counts]);
		expect(sorted(against)).toEqual(sorted(expected));
	}
});
