/** What users and receivers may do to suppress others' notifications, or to receive them. */

import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startCluster } from "../cluster/embed/embed.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import { Destinations } from "./delivery/destinations.ts";
import { Slots } from "./delivery/slots.ts";
import { sendEmail } from "./delivery/smtp.ts";
import { annotationPolicy } from "./policies/policy.ts";
import type { OutgoingRequest } from "./sinks/request.ts";

test("the dead sinks of one namespace leave room for those of others", () => {
	const slots = new Slots<{ name: { namespace: string } }>();
	const queue = (namespace: string) => ({ name: { namespace } });
	const mallory = Array.from({ length: 50 }, () => queue("mallory"));
	expect(mallory.filter((one) => slots.enter(one))).toHaveLength(4);
	const others = ["a", "b", "c"].flatMap((name) => Array.from({ length: 4 }, () => queue(name)));
	expect(others.every((one) => slots.enter(one))).toBe(true);
	// Full: a later one is still served before mallory's backlog.
	const late = queue("late");
	expect(slots.enter(late)).toBe(false);
	expect(slots.leave(mallory[0] as (typeof mallory)[0])).toBe(late);
	expect(slots.enter(late)).toBe(true);
	expect(slots.leave(mallory[1] as (typeof mallory)[0])).toBe(mallory[4]);
});

test("an annotation that can name no Secret asks for nothing: it would be a part of a key of the store", () => {
	const of = (value: string) => annotationPolicy("default", { "notify.coxswain.io/webhook": value });
	for (const value of ["", "a/b", "../other", "A", "x".repeat(10_000), "a\0b"]) expect(of(value)).toBeUndefined();
	expect(of("hooks")?.name).toBe("hooks");
});

test("a mail server that says a little now and then is not waited for", async () => {
	const sockets: Socket[] = [];
	const server = createServer((socket) => {
		sockets.push(socket);
		socket.on("error", () => {});
		socket.write("220 test\r\n");
		// An answer that never ends and never pauses.
		socket.on("data", () => socket.write("250-more\r\n"));
		const talking = setInterval(() => socket.write("250-more\r\n"), 20);
		socket.on("close", () => clearInterval(talking));
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const url = new URL(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`);
	const email = { from: "a@example.com", to: ["b@example.com"], subject: "s", text: "t", id: "1" };
	await expect(sendEmail(new Destinations(["127.0.0.1"], false), url, email, 300)).rejects.toThrow(
		"127.0.0.1: the mail was not taken within 0.3s",
	);
	await Promise.all(sockets.map((socket) => socket.closed || new Promise((done) => socket.once("close", done))));
	server.close();
});

test("what waits when a namespace goes does not reach the sinks of the next one of that name; policies are counted, tests come one by one", async () => {
	const requests: OutgoingRequest[] = [];
	let isDead = true;
	let slow: Promise<void> | undefined;
	const send = async (request: OutgoingRequest) => {
		await slow;
		if (!isDead) requests.push(request);
		return isDead ? 503 : 200;
	};
	await using cluster = await startCluster({ clock: "virtual", notify: { send } });
	const metadata = { name: "team" };
	const space = { apiVersion: "v1", kind: "Namespace", metadata };
	const secret = {
		apiVersion: "v1",
		kind: "Secret",
		metadata: { name: "hook", namespace: "team" },
		stringData: { url: "https://hook.example.com/" },
	};
	await cluster.apply([space, secret]);
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "Job",
		metadata: { name: "private", namespace: "team", annotations: { "notify.coxswain.io/webhook": "hook" } },
		spec: {
			backoffLimit: 0,
			template: {
				metadata: { annotations: { "simulate.coxswain.io/exit-code": "1" } },
				spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
			},
		},
	});
	await cluster.clock.advance("1m");
	await cluster.delete(space);
	await cluster.waitFor(namespaces, "team", "deleted");
	isDead = false;
	await cluster.apply([space, secret]);
	await cluster.clock.advance("1h");
	expect(requests).toEqual([]);

	const policy = (name: string) => ({
		apiVersion: "notify.coxswain.io/v1",
		kind: "NotificationPolicy",
		metadata: { name, namespace: "team" },
		spec: {
			events: ["Failed"],
			sinks: [{ name: "s", webhook: { urlFrom: { secretKeyRef: { name: "hook", key: "url" } } } }],
		},
	});
	for (let index = 0; index < 100; index++) await cluster.apply(policy(`p-${index}`));
	await expect(cluster.apply(policy("one-more"))).rejects.toThrow("a namespace has at most 100 notification policies");
	await cluster.apply(policy("p-0"));

	let go = () => {};
	slow = new Promise((done) => {
		go = done;
	});
	const ask = (id: number) => {
		const patch = { metadata: { annotations: { "notify.coxswain.io/test": String(id) } } };
		return cluster.client.patch(notificationPolicies, { namespace: "team", name: "p-0" }, { type: "merge", patch });
	};
	for (let id = 1; id <= 20; id++) await ask(id);
	go();
	const target = { namespace: "team", name: "p-0" };
	await cluster.waitFor(notificationPolicies, target, ({ status }) => status?.lastTest?.id === "20");
	expect(requests.length).toBeLessThan(4);
});
