import { afterEach, expect, test } from "vitest";
import { createMemoryStore } from "../../store/memory.ts";
import { type Json, type TestApi, type TestOptions, testApi } from "../testing/test-api.ts";
import { definition, definitionsPath, version } from "./testing/definitions.ts";

const opened: TestApi[] = [];
afterEach(async () => {
	for (const api of opened.splice(0)) await api.close();
});

async function start(options: TestOptions = {}): Promise<TestApi> {
	const api = await testApi({ onError: (what, error) => console.error(what, error), ...options });
	opened.push(api);
	return api;
}

/** Creates a definition. @returns it as soon as it is served, or has been refused to be */
async function define(api: TestApi, body: ReturnType<typeof definition>): Promise<Json> {
	const created = await api.ask("POST", definitionsPath, body);
	expect(created.status, created.object.message).toBe(201);
	return settled(api, body.metadata.name, ({ status }) => status?.conditions !== undefined);
}

/** The definition as soon as it is as it should be. */
async function settled(api: TestApi, name: string, is: (object: Json) => boolean): Promise<Json> {
	const read = async () => (await api.ask("GET", `${definitionsPath}/${name}`)).object;
	await expect.poll(async () => is(await read()), { interval: 2, timeout: 20_000 }).toBe(true);
	return read();
}

const widgets = "/apis/example.com/v1/namespaces/default/widgets";
const widget = (name: string, more: object = {}) => ({
	apiVersion: "example.com/v1",
	kind: "Widget",
	metadata: { name },
	...more,
});
const conditions = (object: Json) =>
	Object.fromEntries(object.status.conditions.map((one: Json) => [one.type, `${one.status} ${one.reason}`]));

test("a definition is served as soon as its names are accepted", async () => {
	const api = await start();
	expect((await api.ask("GET", widgets)).status).toBe(404);
	const served = await define(api, definition());
	expect(served.status.acceptedNames).toEqual({
		plural: "widgets",
		singular: "widget",
		kind: "Widget",
		listKind: "WidgetList",
	});
	expect(served.status.storedVersions).toEqual(["v1"]);
	expect(conditions(served)).toEqual({
		NamesAccepted: "True NoConflicts",
		Established: "True InitialNamesAccepted",
	});
	const made = await api.ask("POST", widgets, widget("one", { spec: { size: 1, list: [null, {}] }, extra: "kept" }));
	expect(made.status).toBe(201);
	expect(made.object).toMatchObject({ spec: { size: 1, list: [null, {}] }, extra: "kept" });
	expect(made.object.metadata).toMatchObject({ name: "one", namespace: "default", generation: 1 });
	const { object: list } = await api.ask("GET", widgets);
	expect(list).toMatchObject({ kind: "WidgetList", apiVersion: "example.com/v1", items: [{ kind: "Widget" }] });
	const table = await api.ask("GET", widgets, undefined, {
		headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
	});
	expect(table.object.rows[0].cells[0]).toBe("one");
});

test("names of one group go to the definition that had them first, and to the next when it goes", async () => {
	const api = await start();
	await define(api, definition());
	const names = { plural: "gadgets", kind: "Widget", shortNames: ["w", "widget"] };
	const second = await define(api, definition({ names }));
	expect(conditions(second)).toEqual({ NamesAccepted: "False ListKindConflict", Established: "False NotAccepted" });
	expect(second.status.acceptedNames).toEqual({ plural: "gadgets", kind: "" });
	const other = await define(api, definition({ group: "example.org", names }));
	expect(conditions(other)).toMatchObject({ Established: "True InitialNamesAccepted" });
	await api.ask("DELETE", `${definitionsPath}/widgets.example.com`);
	const after = await settled(api, "gadgets.example.com", (object) =>
		conditions(object).Established?.startsWith("True"),
	);
	expect(after.status.acceptedNames.shortNames).toEqual(["w", "widget"]);
	expect((await api.ask("GET", "/apis/example.com/v1/gadgets")).status).toBe(200);
});

test("a name that a definition gives up goes to the one that waits for it", async () => {
	const api = await start();
	const first = { plural: "widgets", kind: "Widget", shortNames: ["w"] };
	await define(api, definition({ names: first }));
	const second = await define(api, definition({ names: { plural: "gadgets", kind: "Gadget", shortNames: ["w"] } }));
	expect(conditions(second)).toEqual({ NamesAccepted: "False ShortNamesConflict", Established: "False NotAccepted" });
	const patch = { spec: { names: { shortNames: null } } };
	const type = "application/merge-patch+json";
	expect((await api.ask("PATCH", `${definitionsPath}/widgets.example.com`, patch, { type })).status).toBe(200);
	const established = (object: Json) => conditions(object).Established === "True InitialNamesAccepted";
	expect((await settled(api, "gadgets.example.com", established)).status.acceptedNames.shortNames).toEqual(["w"]);
});

test("the status says whether the group's approval is there, whenever the annotation changes", async () => {
	const api = await start();
	const body = definition({ group: "widgets.k8s.io" });
	const annotations = { "api-approved.kubernetes.io": "unapproved, a trial" };
	await define(api, { ...body, metadata: { ...body.metadata, annotations } } as typeof body);
	const is = (text: string) => (object: Json) => conditions(object).KubernetesAPIApprovalPolicyConformant === text;
	await settled(api, body.metadata.name, is("False UnapprovedAnnotation"));
	const patch = { metadata: { annotations: { "api-approved.kubernetes.io": "https://example.com/approval" } } };
	await api.ask("PATCH", `${definitionsPath}/${body.metadata.name}`, patch, { type: "application/merge-patch+json" });
	await settled(api, body.metadata.name, is("True ApprovedAnnotation"));
});

test("a definition that is deleted takes its objects along", async () => {
	const api = await start();
	await define(api, definition());
	for (let index = 0; index < 300; index++) await api.ask("POST", widgets, widget(`w${index}`));
	await api.ask("POST", widgets, widget("held", { metadata: { name: "held", finalizers: ["example.com/held"] } }));
	const watched = await api.watch("/apis/example.com/v1/widgets?watch=true");
	const deleted = await api.ask("DELETE", `${definitionsPath}/widgets.example.com`);
	expect(deleted.object.metadata.finalizers).toEqual(["customresourcecleanup.apiextensions.k8s.io"]);
	expect(conditions(deleted.object).Terminating).toBe("True InstanceDeletionPending");
	await expect.poll(async () => (await api.ask("GET", widgets)).object.items.length).toBe(1);
	expect(conditions((await api.ask("GET", `${definitionsPath}/widgets.example.com`)).object).Terminating).toBe(
		"True InstanceDeletionInProgress",
	);
	const refused = await api.ask("POST", widgets, widget("late"));
	expect(refused.status).toBe(403);
	expect(refused.object.message).toBe(
		'widgets.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
	);
	expect(watched.ended).toEqual([]);
	await api.ask(
		"PATCH",
		`${widgets}/held`,
		{ metadata: { finalizers: null } },
		{ type: "application/merge-patch+json" },
	);
	await expect.poll(async () => (await api.ask("GET", widgets)).status).toBe(404);
	expect((await api.ask("GET", `${definitionsPath}/widgets.example.com`)).status).toBe(404);
	expect(watched.ended).toEqual([undefined]);
	expect(watched.events.filter(({ type }) => type === "DELETED")).toHaveLength(301);
});

test("a server that starts serves what was defined, and goes on with what was begun", async () => {
	const store = createMemoryStore();
	const first = await start({ store });
	await define(first, definition());
	await first.ask("POST", widgets, widget("one"));
	await first.ask("POST", widgets, widget("held", { metadata: { name: "held", finalizers: ["example.com/held"] } }));
	await first.ask("DELETE", `${definitionsPath}/widgets.example.com`);
	await first.close();
	const second = await start({ store });
	expect((await second.ask("GET", widgets)).status).toBe(200);
	await second.ask(
		"PATCH",
		`${widgets}/held`,
		{ metadata: { finalizers: [] } },
		{ type: "application/merge-patch+json" },
	);
	await expect.poll(async () => (await second.ask("GET", definitionsPath)).object.items).toEqual([]);
});

test("a change of the definition ends watches, and holds from then on", async () => {
	const api = await start();
	const served = await define(api, definition());
	const watched = await api.watch("/apis/example.com/v1/widgets?watch=true");
	const { metadata } = served;
	await api.ask("PUT", `${definitionsPath}/widgets.example.com`, {
		...served,
		metadata: { ...metadata, labels: { a: "b" } },
	});
	expect(watched.ended).toEqual([]);
	const { object: labelled } = await api.ask("GET", `${definitionsPath}/widgets.example.com`);
	const versions = [version("v1", { storage: false, served: false }), version("v2")];
	await api.ask("PUT", `${definitionsPath}/widgets.example.com`, { ...labelled, spec: { ...labelled.spec, versions } });
	expect(watched.ended).toEqual([undefined]);
	expect((await api.ask("GET", widgets)).status).toBe(404);
	expect((await api.ask("GET", "/apis/example.com/v2/widgets")).status).toBe(200);
	const { object: after } = await api.ask("GET", `${definitionsPath}/widgets.example.com`);
	expect(after.status.storedVersions).toEqual(["v1", "v2"]);
});
