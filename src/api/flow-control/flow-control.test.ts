import { afterEach, expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { type Answer, type AskOptions, type TestApi, testApi } from "../testing/test-api.ts";

const group = "/apis/flowcontrol.apiserver.k8s.io/v1";
const configMaps = "/api/v1/namespaces/default/configmaps";
const peer = { remoteAddress: "192.0.2.1" };

const opened: TestApi[] = [];
afterEach(async () => {
	for (const api of opened.splice(0)) await api.close();
});

async function opening(options: Parameters<typeof testApi>[0] = {}): Promise<TestApi> {
	const api = await testApi(options);
	opened.push(api);
	return api;
}

/** Somebody outside. */
const as = (name: string, more: AskOptions = {}): AskOptions => ({
	peer,
	user: { name, groups: ["system:authenticated"] },
	...more,
});

async function levelOf(api: TestApi, name: string, shares: number, queuing?: object): Promise<string> {
	const limitResponse = queuing === undefined ? { type: "Reject" } : { type: "Queue", queuing };
	const spec = { type: "Limited", limited: { nominalConcurrencyShares: shares, limitResponse } };
	const made = await api.ask("POST", `${group}/prioritylevelconfigurations`, { metadata: { name }, spec });
	expect(made.status).toBe(201);
	return made.object.metadata.uid;
}

async function schemaOf(
	api: TestApi,
	name: string,
	level: string,
	users: string[],
	more: object = {},
): Promise<string> {
	const everything = ["*"];
	const made = await api.ask("POST", `${group}/flowschemas`, {
		metadata: { name },
		spec: {
			priorityLevelConfiguration: { name: level },
			matchingPrecedence: 1000,
			distinguisherMethod: { type: "ByUser" },
			rules: [
				{
					subjects: users.map((user) => ({ kind: "User", user: { name: user } })),
					resourceRules: [
						{
							verbs: everything,
							apiGroups: everything,
							resources: everything,
							namespaces: everything,
							clusterScope: true,
						},
					],
					nonResourceRules: [{ verbs: everything, nonResourceURLs: everything }],
				},
			],
			...more,
		},
	});
	expect(made.status).toBe(201);
	return made.object.metadata.uid;
}

const schemaUid = ({ headers }: Answer) => headers["x-kubernetes-pf-flowschema-uid"];
const levelUid = ({ headers }: Answer) => headers["x-kubernetes-pf-prioritylevel-uid"];

/** A request that runs until something is written: it wants to see what is to come. */
async function holding(api: TestApi, name: string, more?: AskOptions): Promise<() => Promise<Answer>> {
	const { object } = await api.ask("GET", configMaps);
	const next = Number(object.metadata.resourceVersion) + 1;
	const running = api.ask("GET", `${configMaps}?resourceVersion=${next}`, undefined, as(name, more));
	return () => running;
}

const write = (api: TestApi, name: string) => api.ask("POST", configMaps, { metadata: { name } });

test("requests are classified by what is configured now, and answers say how, also refusals", async () => {
	const api = await opening();
	const level = await levelOf(api, "mine", 1);
	const schema = await schemaOf(api, "mine", "mine", ["ann"]);
	for (const path of [configMaps, "/version", `${configMaps}/none`]) {
		const answer = await api.ask("GET", path, undefined, as("ann"));
		expect([schemaUid(answer), levelUid(answer)]).toEqual([schema, level]);
	}
	const other = await api.ask("GET", "/version", undefined, as("bob"));
	expect(schemaUid(other)).toBe("");
	const denied = await api.ask("GET", "/version", undefined, as("ann", { user: { name: "ann", groups: [] } }));
	expect(denied.status).toBe(403);
	expect(schemaUid(denied)).toBe(schema);
	// A better precedence counts from now on; a schema whose level is missing counts for nothing.
	const better = await schemaOf(api, "better", "mine", ["ann"], { matchingPrecedence: 999 });
	expect(schemaUid(await api.ask("GET", "/version", undefined, as("ann")))).toBe(better);
	await schemaOf(api, "dangling", "missing", ["ann"], { matchingPrecedence: 2 });
	expect(schemaUid(await api.ask("GET", "/version", undefined, as("ann")))).toBe(better);
	// The cluster's own parts belong nowhere.
	expect(schemaUid(await api.ask("GET", "/version"))).toBeUndefined();
});

test("requests wait for seats of their level and are refused when too many do; other levels go on", async () => {
	const api = await opening({ maxRequestsInFlight: 2 });
	await levelOf(api, "narrow", 5, { queues: 1, handSize: 1, queueLengthLimit: 1 });
	await schemaOf(api, "narrow", "narrow", ["eve"]);
	const running = await holding(api, "eve");
	const waiting = api.ask("GET", `${configMaps}?limit=1`, undefined, as("eve"));
	const refused = await api.ask("GET", "/version", undefined, as("eve"));
	expect(refused).toMatchObject({
		status: 429,
		headers: { "retry-after": "1" },
		object: { reason: "TooManyRequests" },
	});
	expect((await api.ask("GET", "/readyz", undefined, as("eve"))).status).toBe(200);
	expect((await api.ask("GET", "/version", undefined, as("ann"))).status).toBe(200);
	expect(
		(await api.ask("GET", "/version", undefined, as("root", { user: { name: "root", groups: ["system:masters"] } })))
			.status,
	).toBe(200);
	const text = (await api.ask("GET", "/metrics")).text();
	const labels = '{flow_schema="narrow",priority_level="narrow"}';
	const sorted = (line: string) =>
		line.replace(/\{(.*)\}/, (_, inner: string) => `{${inner.split(",").sort().join()}}`);
	const lines = text.split("\n").map(sorted);
	expect(lines).toContain(`apiserver_flowcontrol_current_inqueue_requests${labels} 1`);
	expect(lines).toContain(`apiserver_flowcontrol_current_executing_requests${labels} 1`);
	expect(lines).toContain(`apiserver_flowcontrol_request_queue_length_after_enqueue_sum${labels} 1`);
	expect(lines).toContain(`apiserver_flowcontrol_request_dispatch_no_accommodation_total${labels} 1`);
	for (const of of ["priority_level_seat_utilization", "priority_level_request_utilization"])
		expect(text).toContain(`apiserver_flowcontrol_${of}_count{phase="executing",priority_level="narrow"}`);
	expect(text).toContain('apiserver_flowcontrol_demand_seats_bucket{priority_level="narrow",le="0.2"}');
	const dump = await api.ask("GET", "/debug/api_priority_and_fairness/dump_priority_levels");
	expect(dump.text()).toMatch(/^narrow, +1, +false, +false, +1, +1, +1, +1, +0, +0$/m);
	expect((await api.ask("GET", "/debug/api_priority_and_fairness/dump_requests")).text()).toMatch(
		/narrow, +0, +0, +eve, +1/,
	);
	await write(api, "a");
	expect([(await running()).status, (await waiting).status]).toEqual([200, 200]);
});

test("one client of many requests does not drown out another of the same level", async () => {
	const api = await opening({ maxRequestsInFlight: 1 });
	await levelOf(api, "shared", 100, { queues: 64, handSize: 6, queueLengthLimit: 50 });
	await schemaOf(api, "shared", "shared", ["elephant", "mouse"]);
	const first = await holding(api, "elephant");
	const order: string[] = [];
	const ask = (name: string) =>
		api.ask("GET", `${configMaps}/none`, undefined, as(name)).then(({ status }) => {
			order.push(`${name} ${status}`);
		});
	const all = [...Array.from({ length: 30 }, () => ask("elephant")), ...Array.from({ length: 3 }, () => ask("mouse"))];
	await write(api, "a");
	await Promise.all([first(), ...all]);
	expect(order).toHaveLength(33);
	expect(order.lastIndexOf("mouse 404")).toBeLessThan(10);
});

test("requests that wait too long are refused, and those of disconnected clients stop waiting", async () => {
	const clock = new VirtualClock();
	const api = await opening({ maxRequestsInFlight: 1, clock });
	await levelOf(api, "narrow", 100, { queues: 1, handSize: 1, queueLengthLimit: 5 });
	await schemaOf(api, "narrow", "narrow", ["eve"]);
	const running = await holding(api, "eve");
	const client = new AbortController();
	const gone = api.ask("GET", "/version", undefined, as("eve", { signal: client.signal }));
	const impatient = api.ask("GET", `${configMaps}?timeout=4s`, undefined, as("eve"));
	client.abort();
	expect((await gone).status).toBe(429);
	await clock.advance(1000);
	expect((await impatient).status).toBe(429);
	await write(api, "a");
	expect((await running()).status).toBe(200);
});

test("a level borrows what others do not need, and gives it back", async () => {
	const clock = new VirtualClock();
	const api = await opening({ maxRequestsInFlight: 100, clock });
	const limited = (shares: number) => ({
		type: "Limited",
		limited: {
			nominalConcurrencyShares: shares,
			lendablePercent: 50,
			limitResponse: { type: "Queue", queuing: { queues: 8, handSize: 2, queueLengthLimit: 100 } },
		},
	});
	for (const [name, shares] of [
		["busy", 10],
		["idle", 85],
	] as const)
		await api.ask("POST", `${group}/prioritylevelconfigurations`, { metadata: { name }, spec: limited(shares) });
	await schemaOf(api, "busy", "busy", ["eve"]);
	const seats = async (level: string) => {
		const text = (await api.ask("GET", "/metrics")).text();
		return Number(
			new RegExp(`apiserver_flowcontrol_current_limit_seats\\{priority_level="${level}"\\} (\\d+)`).exec(text)?.[1],
		);
	};
	await api.ask("GET", "/version", undefined, as("eve"));
	expect([await seats("busy"), await seats("idle")]).toEqual([10, 85]);
	// Each waits for three seconds until it is told that the revision has not come, and so the others after it.
	const all = await Promise.all(Array.from({ length: 30 }, () => holding(api, "eve")));
	await clock.advance(10_000);
	expect(await seats("busy")).toBeGreaterThan(10);
	expect(await seats("idle")).toBeLessThan(85);
	await Promise.all(all.map((answered) => answered()));
	await clock.advance(20_000);
	expect([await seats("busy"), await seats("idle")]).toEqual([10, 85]);
});

test("more queues and larger hands than a hash can deal are refused", async () => {
	const api = await opening();
	const ask = async (queues: number, handSize: number) => {
		const queuing = { queues, handSize, queueLengthLimit: 1 };
		const spec = { type: "Limited", limited: { limitResponse: { type: "Queue", queuing } } };
		const { object } = await api.ask("POST", `${group}/prioritylevelconfigurations`, { metadata: { name: "a" }, spec });
		return object.details?.causes?.map(({ message }: { message: string }) => message);
	};
	expect(await ask(64, 20)).toEqual([
		"Invalid value: 20: required entropy bits of deckSize 64 and handSize 20 should not be greater than 60",
	]);
	expect(await ask(10_000_001, 1)).toEqual(["Invalid value: 10000001: must not be greater than 10000000"]);
	expect(await ask(10_000_000, 2)).toBeUndefined();
});
