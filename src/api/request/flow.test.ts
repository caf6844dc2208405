/** More than can be answered at the same time is refused at once, and clients are told when to come again. */
import { expect, test } from "vitest";
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import { admin, type TestApi, testApi } from "../testing/test-api.ts";
import { createFlows } from "./flow.ts";

const refusal = {
	status: 429,
	headers: { "retry-after": "1" },
	object: { kind: "Status", reason: "TooManyRequests", details: { retryAfterSeconds: 1 }, code: 429 },
};

/** Somebody outside. */
const peer = { remoteAddress: "192.0.2.1" };
const outside = { peer };

function post(api: TestApi, receive: () => Promise<Uint8Array>): Promise<ApiResponse> {
	const request: ApiRequest = {
		method: "POST",
		path: "/api/v1/namespaces/default/configmaps",
		query: new URLSearchParams(),
		headers: {},
		user: admin,
		signal: new AbortController().signal,
		receive,
		peer,
	};
	return api.handle(request);
}

/** A body that comes when it is told to. */
function pending(bytes: Uint8Array): { promise: Promise<Uint8Array>; resolve: () => void } {
	let resolve = () => {};
	const promise = new Promise<Uint8Array>((done) => {
		resolve = () => done(bytes);
	});
	return { promise, resolve };
}

const bodyOf = (name: string) => Buffer.from(JSON.stringify({ metadata: { name } }));

test("requests whose bodies have not come are refused beyond the limit, and keep no others out", async () => {
	const api = await testApi({ maxRequestsInFlight: 3 });
	const bodies = Array.from({ length: 3 }, (_, index) => pending(bodyOf(`slow-${index}`)));
	const slow = bodies.map(({ promise }) => post(api, () => promise));
	let received = false;
	const refused = await post(api, async () => {
		received = true;
		return bodyOf("refused");
	});
	expect(refused).toMatchObject(refusal);
	expect(received).toBe(false);
	expect((await api.ask("GET", "/api/v1/namespaces")).status).toBe(200);
	for (const { resolve } of bodies) resolve();
	expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([201, 201, 201]);
	expect((await post(api, async () => bodyOf("later"))).status).toBe(201);
	await api.close();
});

test("a burst of connections is refused beyond the limit; a body that breaks off gives its place back", async () => {
	const dials: (() => void)[] = [];
	const dialAgent = () =>
		new Promise<never>((_, reject) => {
			dials.push(() => reject(new Error("no agent")));
		});
	const api = await testApi({ maxRequestsInFlight: 3, dialAgent });
	await api.ask("POST", "/api/v1/nodes", { metadata: { name: "node-1" } });
	const running = Array.from({ length: 20 }, () =>
		api.ask("GET", "/api/v1/nodes/node-1/proxy/metrics", undefined, outside),
	);
	await expect.poll(() => dials.length).toBe(3);
	expect((await api.ask("GET", "/readyz", undefined, outside)).status).toBe(200);
	// Requests that the server answers itself are not kept out.
	expect((await api.ask("GET", "/api/v1/namespaces", undefined, outside)).status).toBe(200);
	for (const fail of dials) fail();
	const answers = await Promise.all(running);
	expect(answers.filter(({ status }) => status === 429)).toHaveLength(17);
	for (const answer of answers) expect(answer.object.kind).toBe("Status");
	for (let count = 0; count < 4; count++)
		expect((await post(api, () => Promise.reject(new Error("gone")))).status).toBe(500);
	expect((await api.ask("GET", "/api/v1/namespaces")).status).toBe(200);
	expect((await post(api, async () => bodyOf("later"))).status).toBe(201);
	await api.close();
});

test("one user has at most their share of pending requests, and nobody that of nodes and administrators", () => {
	const flows = createFlows(4);
	const enter = (name: string, group = "system:authenticated") => flows.enter({ name, groups: [group] });
	const leave = enter("eve");
	enter("eve");
	expect(() => enter("eve")).toThrow("too many requests");
	enter("ann");
	leave();
	enter("eve");
	enter("ann");
	expect(() => enter("bob")).toThrow("too many requests");
	for (const group of ["system:nodes", "system:masters"]) for (const name of ["a", "a"]) enter(name, group);
	expect(() => enter("a", "system:nodes")).toThrow("too many requests");
});

test("a collection is not deleted any further once its client is gone", async () => {
	const api = await testApi();
	const path = "/api/v1/namespaces/default/configmaps";
	await api.ask("POST", path, { metadata: { name: "kept" } });
	const answer = await api.ask("DELETE", path, undefined, { signal: AbortSignal.abort() });
	expect(answer.object).toMatchObject({ items: [] });
	expect((await api.ask("GET", `${path}/kept`)).status).toBe(200);
	await api.close();
});
