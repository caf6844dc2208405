import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { type TestApi, testApi } from "../testing/test-api.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, labels: Record<string, string> = {}) => ({
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name, labels },
});

async function withConfigMaps(count: number): Promise<TestApi> {
	const api = await testApi({ namespaces: ["default", "other"] });
	for (let index = 0; index < count; index++)
		await api.ask("POST", configMaps, configMap(`c${index}`, { parity: index % 2 === 0 ? "even" : "odd" }));
	return api;
}

const names = (object: { items: { metadata: { name: string } }[] }) =>
	object.items.map(({ metadata }) => metadata.name);

test("a list has the objects of its namespace by name, and the same bytes", async () => {
	const api = await withConfigMaps(3);
	await api.ask("POST", "/api/v1/namespaces/other/configmaps", configMap("z"));
	const { object, sent } = await api.ask("GET", configMaps);
	expect(object).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1" });
	expect(names(object)).toEqual(["c0", "c1", "c2"]);
	expect(sent()).toEqual(object);
	expect(names((await api.ask("GET", "/api/v1/configmaps")).object)).toEqual(["c0", "c1", "c2", "z"]);
});

test("selectors choose by labels and fields; fields that the kind does not offer are refused", async () => {
	const api = await withConfigMaps(4);
	expect(names((await api.ask("GET", `${configMaps}?labelSelector=parity%3Dodd`)).object)).toEqual(["c1", "c3"]);
	expect(names((await api.ask("GET", `${configMaps}?fieldSelector=metadata.name%3Dc2`)).object)).toEqual(["c2"]);
	const refused = await api.ask("GET", `${configMaps}?fieldSelector=data.x%3D1`);
	const known = 'only "metadata.name", "metadata.namespace"';
	expect(refused.object).toMatchObject({
		reason: "BadRequest",
		message: `"data.x" is not a known field selector: ${known}`,
	});
});

test("a field is selected by the name that the version has for it", async () => {
	const api = await testApi();
	const core = "/api/v1/namespaces/default/events";
	const grouped = "/apis/events.k8s.io/v1/namespaces/default/events";
	const event = (name: string, reportingComponent: string) => ({
		metadata: { name },
		involvedObject: { kind: "Pod", name: `pod-of-${name}`, namespace: "default" },
		reportingComponent,
	});
	await api.ask("POST", core, event("a", "one"));
	await api.ask("POST", core, event("b", "two"));
	const chosen = async (path: string, selector: string) => {
		const { object } = await api.ask("GET", `${path}?fieldSelector=${encodeURIComponent(selector)}`);
		return object.items === undefined ? object.message : names(object);
	};
	expect(await chosen(core, "reportingComponent=one")).toEqual(["a"]);
	expect(await chosen(core, "source=two,involvedObject.kind=Pod")).toEqual(["b"]);
	expect(await chosen(core, "reportingController=one")).toBe("field label not supported: reportingController");
	expect(await chosen(grouped, "reportingController=two")).toEqual(["b"]);
	expect(await chosen(grouped, "regarding.name=pod-of-a,metadata.name!=b")).toEqual(["a"]);
	expect(await chosen(grouped, "involvedObject.name=x")).toBe("field label not supported: involvedObject.name");
	const watched = await api.watch(`${grouped}?watch=1&fieldSelector=reportingController%3Done`);
	expect(watched.events.map(({ object }) => object.metadata.name)).toEqual(["a"]);
});

test("pages show one revision, whatever changes between them", async () => {
	const api = await withConfigMaps(5);
	const first = await api.ask("GET", `${configMaps}?limit=2`);
	expect(names(first.object)).toEqual(["c0", "c1"]);
	expect(first.object.metadata.remainingItemCount).toBe(3);
	await api.ask("DELETE", `${configMaps}/c2`);
	await api.ask("POST", configMaps, configMap("c3a"));
	await api.ask("PUT", `${configMaps}/c4`, configMap("c4", { changed: "yes" }));
	const second = await api.ask("GET", `${configMaps}?limit=2&continue=${first.object.metadata.continue}`);
	expect(names(second.object)).toEqual(["c2", "c3"]);
	expect(second.object.metadata.resourceVersion).toBe(first.object.metadata.resourceVersion);
	const third = await api.ask("GET", `${configMaps}?limit=2&continue=${second.object.metadata.continue}`);
	expect(names(third.object)).toEqual(["c4"]);
	expect(third.object.items[0].metadata.labels).toEqual({ parity: "even" });
	expect(third.object.metadata.continue).toBeUndefined();
});

test("a page of a revision that is forgotten answers Expired", async () => {
	const api = await testApi({ watchHistory: 4 });
	for (const name of ["a", "b", "c"]) await api.ask("POST", configMaps, configMap(name));
	const first = await api.ask("GET", `${configMaps}?limit=1`);
	for (let index = 0; index < 20; index++)
		await api.ask("PUT", `${configMaps}/a`, configMap("a", { round: String(index) }));
	const next = await api.ask("GET", `${configMaps}?limit=1&continue=${first.object.metadata.continue}`);
	expect(next.object).toMatchObject({ code: 410, reason: "Expired" });
	// The rest may be had as it is now.
	const rest = await api.ask("GET", `${configMaps}?limit=1&continue=${next.object.metadata.continue}`);
	expect(names(rest.object)).toEqual(["b"]);
	expect(Number(rest.object.metadata.resourceVersion)).toBeGreaterThan(Number(first.object.metadata.resourceVersion));
	expect(rest.object.metadata.remainingItemCount).toBe(1);
	const watch = await api.watch(`${configMaps}?watch=1&resourceVersion=${first.object.metadata.resourceVersion}`);
	expect(watch.ended[0]).toMatchObject({ reason: "Expired" });
});

test("an exact revision is served as it was, one from the future is refused", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	const { object } = await api.ask("POST", configMaps, configMap("a"));
	await api.ask("DELETE", `${configMaps}/a`);
	const query = `resourceVersion=${object.metadata.resourceVersion}&resourceVersionMatch=Exact`;
	expect(names((await api.ask("GET", `${configMaps}?${query}`)).object)).toEqual(["a"]);
	const future = api.ask("GET", `${configMaps}?resourceVersion=1000`);
	await clock.advance(5000);
	expect((await future).object).toMatchObject({ code: 504, reason: "Timeout" });
	expect((await future).object.message).toContain("Too large resource version: 1000");
});

test("tables and metadata are other views of the same objects", async () => {
	const api = await withConfigMaps(1);
	const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
	const table = await api.ask("GET", configMaps, undefined, { headers: { accept } });
	expect(table.object).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
	expect(table.object.rows[0].cells.slice(0, 2)).toEqual(["c0", 0]);
	expect(table.object.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "c0" } });
	const partial = await api.ask("GET", configMaps, undefined, {
		headers: { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" },
	});
	expect(partial.object.kind).toBe("PartialObjectMetadataList");
	expect(Object.keys(partial.object.items[0]).sort()).toEqual(["apiVersion", "kind", "metadata"]);
	const yaml = await api.ask("GET", `${configMaps}/c0`, undefined, { headers: { accept: "application/yaml" } });
	expect(yaml.text()).toContain("kind: ConfigMap\n");
	const none = await api.ask("GET", configMaps, undefined, { headers: { accept: "text/html" } });
	expect(none.object).toMatchObject({ code: 406, reason: "NotAcceptable" });
});

test("deletecollection deletes what is selected", async () => {
	const api = await withConfigMaps(4);
	await api.ask("DELETE", `${configMaps}?labelSelector=parity%3Dodd`);
	expect(names((await api.ask("GET", configMaps)).object)).toEqual(["c0", "c2"]);
	expect((await api.ask("DELETE", "/api/v1/namespaces")).object.reason).toBe("MethodNotAllowed");
});

test("pages of a list end five to ten minutes after it began; a watch may still begin there", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	for (const name of ["a", "b"]) await api.ask("POST", configMaps, configMap(name));
	const first = await api.ask("GET", `${configMaps}?limit=1`);
	const { continue: token, resourceVersion } = first.object.metadata;
	const next = async () => (await api.ask("GET", `${configMaps}?limit=1&continue=${token}`)).object;
	for (let minute = 1; minute < 10; minute++) {
		await clock.advance(60_000);
		await api.ask("PUT", `${configMaps}/a`, configMap("a", { minute: String(minute) }));
		expect(names(await next())).toEqual(["b"]);
	}
	await clock.advance(60_000);
	expect(await next()).toMatchObject({ code: 410, reason: "Expired" });
	const exact = await api.ask("GET", `${configMaps}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`);
	expect(exact.object).toMatchObject({ code: 410, message: "The resourceVersion for the provided list is too old." });
	const watch = await api.watch(`${configMaps}?watch=1&resourceVersion=${resourceVersion}`);
	expect(watch.ended).toEqual([]);
});

test("a list of any state comes in one piece, whatever limit it has", async () => {
	const api = await withConfigMaps(3);
	const { object } = await api.ask("GET", `${configMaps}?limit=1&resourceVersion=0`);
	expect(names(object)).toEqual(["c0", "c1", "c2"]);
	expect(object.metadata).not.toHaveProperty("continue");
});

test("only pages without selectors say how much is left", async () => {
	const api = await withConfigMaps(5);
	const first = (await api.ask("GET", `${configMaps}?limit=2`)).object.metadata;
	expect(first.remainingItemCount).toBe(3);
	const second = (await api.ask("GET", `${configMaps}?limit=2&continue=${first.continue}`)).object.metadata;
	expect(second.remainingItemCount).toBe(1);
	for (const selector of ["labelSelector=parity%3Deven", "fieldSelector=metadata.namespace%3Ddefault"]) {
		const { metadata } = (await api.ask("GET", `${configMaps}?limit=1&${selector}`)).object;
		expect(metadata.continue).toBeDefined();
		expect(metadata).not.toHaveProperty("remainingItemCount");
	}
});

const token = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const badToken = "invalid continue token: continue key is not valid";

test.each([
	["continue=!", `${badToken}: it cannot be read`],
	[
		`continue=${token({ v: "meta.k8s.io/v2", rv: 1, start: "a" })}`,
		`${badToken}: server does not recognize this encoded version meta.k8s.io/v2`,
	],
	[
		`continue=${token({ v: "meta.k8s.io/v1", start: "a" })}`,
		`${badToken}: incorrect encoded start resourceVersion (version meta.k8s.io/v1)`,
	],
	[
		`continue=${token({ v: "meta.k8s.io/v1", rv: 1 })}`,
		`${badToken}: encoded start key empty (version meta.k8s.io/v1)`,
	],
	[`continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "a" })}`, `${badToken}: it is of another list`],
	[
		`continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "a" })}&resourceVersion=5`,
		"specifying resource version is not allowed when using continue",
	],
	[
		"resourceVersion=x",
		'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
	],
])("a list with %s is refused", async (query, message) => {
	const api = await withConfigMaps(0);
	expect((await api.ask("GET", `${configMaps}?${query}`)).object).toMatchObject({ reason: "BadRequest", message });
});

test("a table has of its objects what is asked for", async () => {
	const api = await withConfigMaps(1);
	const headers = { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" };
	const row = async (include: string) => {
		const { object } = await api.ask("GET", `${configMaps}?includeObject=${include}`, undefined, { headers });
		return object.rows?.[0].object?.kind ?? object.message;
	};
	expect(await row("")).toBe("PartialObjectMetadata");
	expect(await row("Metadata")).toBe("PartialObjectMetadata");
	expect(await row("Object")).toBe("ConfigMap");
	expect(await row("None")).toBeUndefined();
	expect(await row("All")).toBe(
		"Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
	);
});
