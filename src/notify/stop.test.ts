import { expect, test } from "vitest";
import { startControlPlane } from "../cluster/control-plane/control-plane.ts";
import { administrator } from "../cluster/control-plane/identities.ts";
import { defaultNetwork } from "../cluster/settings/cluster-network.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { jobs } from "../kinds/batch/job.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import { secrets } from "../kinds/core/secret.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";

test("a notifier that cannot write when it stops leaves what waits to the next one", async () => {
	const clock = new VirtualClock();
	const memory = createMemoryStore();
	let isFull = false;
	const store: Store = {
		get: (key) => memory.get(key),
		compact: (revision) => memory.compact(revision),
		range: (options) => memory.range(options),
		revision: () => memory.revision(),
		watch: (options, sink) => memory.watch(options, sink),
		close: () => memory.close(),
		commit: (commit) => (isFull ? Promise.reject(new Error("the disk is full")) : memory.commit(commit)),
	};
	let sent = 0;
	const send = () => {
		sent++;
		return 503;
	};
	const controlPlane = await startControlPlane({ store, clock, network: defaultNetwork, notify: { send } });
	const client = controlPlane.client(administrator);
	await client.create(namespaces, { metadata: { name: "default" }, spec: {} }).catch(() => {});
	const metadata = { name: "hook", namespace: "default" };
	await client.create(secrets, { metadata, stringData: { url: "https://events.example.com/in" } });
	const webhook = { urlFrom: { secretKeyRef: { name: "hook", key: "url" } } };
	await client.create(notificationPolicies, {
		metadata,
		spec: { events: ["Failed"], sinks: [{ name: "hook", webhook }] },
	});
	const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } };
	await client.create(jobs, {
		metadata: { name: "late", namespace: "default" },
		spec: { template, activeDeadlineSeconds: 5 },
	});
	const waiting = async () => (await memory.range({ from: "notify/outbox/", to: "notify/outbox0" })).entries.length;
	await clock.advance(120_000);
	expect(sent).toBeGreaterThan(0);
	expect(await waiting()).toBe(1);
	// An event without recipients is noted a little later.
	await client.create(jobs, { metadata: { name: "none", namespace: "default" }, spec: { template, completions: 0 } });
	await clock.advance(3000);
	isFull = true;
	await controlPlane.stop();
	isFull = false;
	const before = sent;
	await clock.advance(3_600_000);
	expect([sent, await waiting()]).toEqual([before, 1]);
});
