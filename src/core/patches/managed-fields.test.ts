/** What upstream v1.36 keeps in managedFields of plain writes (docs "Server-Side Apply", "Field management"). */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { builtinSchemas } from "../../kinds/builtin-schemas.ts";
import { catalog } from "../../kinds/catalog.ts";
import { decode } from "../../kinds/schema.ts";
import { deepCopy, type KubeObject, type ManagedFieldsEntry, setField } from "../object.ts";
import { accountJson } from "./accounts.ts";
import { compare } from "./differences.ts";
import { type FieldSet, paths } from "./field-set.ts";
import { shareAccount, trackUpdate, type Writer } from "./managed-fields.ts";
import type { JsonObject } from "./schema.ts";

const early = "2026-01-01T00:00:00Z";
const late = "2026-01-02T00:00:00Z";

function decoded(text: string): JsonObject {
	const value: { kind: string } = parse(text);
	const kind = catalog.find((candidate) => candidate.kind === value.kind);
	if (kind === undefined) throw new Error(`no kind ${value.kind}`);
	const { object } = decode(value, kind.schema);
	kind.setDefaults?.(object);
	// Objects of all kinds are plain records.
	return object as unknown as JsonObject;
}

function writer(typeName: string, more: Partial<Writer> = {}): Writer {
	const known = { manager: "kubectl-create", apiVersion: "v1", time: early, typeName, schemas: builtinSchemas };
	return { ...known, resetFields: ["status"], ...more };
}

function written(live: JsonObject | undefined, object: JsonObject, by: Writer): JsonObject {
	const managedFields = trackUpdate(live, object, by);
	return { ...object, metadata: { ...(object["metadata"] as JsonObject), managedFields } };
}

function entries(object: JsonObject): readonly ManagedFieldsEntry[] {
	return (object["metadata"] as { managedFields: ManagedFieldsEntry[] }).managedFields;
}

const podText = `
apiVersion: v1
kind: Pod
metadata:
  generateName: web-79d88c97d6-
  labels: {app: web, pod-template-hash: 79d88c97d6}
  ownerReferences:
  - {apiVersion: apps/v1, kind: ReplicaSet, name: web-79d88c97d6, uid: 710786df, controller: true}
spec:
  containers:
  - {name: hello-app, image: hello, resources: {requests: {cpu: 100m}}}
`;

describe("a create", () => {
	test("of a pod gives the entry that a cluster of upstream's has", () => {
		const pod = written(undefined, decoded(podText), writer("Pod", { manager: "kube-controller-manager" }));
		expect(entries(pod)).toEqual([
			parse(`
manager: kube-controller-manager
operation: Update
apiVersion: v1
time: ${early}
fieldsType: FieldsV1
fieldsV1:
  f:metadata:
    f:generateName: {}
    f:labels: {.: {}, f:app: {}, f:pod-template-hash: {}}
    f:ownerReferences: {.: {}, 'k:{"uid":"710786df"}': {}}
  f:spec:
    f:containers:
      'k:{"name":"hello-app"}':
        .: {}
        f:image: {}
        f:imagePullPolicy: {}
        f:name: {}
        f:resources: {.: {}, f:requests: {.: {}, f:cpu: {}}}
        f:terminationMessagePath: {}
        f:terminationMessagePolicy: {}
    f:dnsPolicy: {}
    f:enableServiceLinks: {}
    f:restartPolicy: {}
    f:schedulerName: {}
    f:securityContext: {}
    f:terminationGracePeriodSeconds: {}
`),
		]);
	});

	test("of a Deployment neither owns the status nor marks what every Deployment has", () => {
		const text =
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {a: b}}, " +
			"template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}, status: {replicas: 3}}";
		const deployment = written(undefined, decoded(text), writer("Deployment"));
		const [entry] = entries(deployment);
		expect(entry?.fieldsV1).not.toHaveProperty("f:status");
		expect(entry?.fieldsV1).toMatchObject({
			"f:spec": {
				"f:selector": {},
				"f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} }, "f:type": {} },
				"f:template": { "f:metadata": { "f:labels": { ".": {}, "f:a": {} } } },
			},
		});
		expect(entry?.fieldsV1).not.toHaveProperty(["f:spec", "f:template", "."]);
	});

	test("of objects of one form gives them one and the same set", () => {
		const [one, other] = ["a", "b"].map((text) => {
			const object = decoded(`{apiVersion: v1, kind: ConfigMap, metadata: {name: ${text}}, data: {key: ${text}}}`);
			return entries(written(undefined, object, writer("ConfigMap")))[0];
		});
		expect(one?.fieldsV1).toEqual({ "f:data": { ".": {}, "f:key": {} } });
		expect(one?.fieldsV1).toBe(other?.fieldsV1);
	});

	test("has the fields that comparing finds, however the names are made and whatever was written before", () => {
		const names = ["a", "b", "ab", "1:a", "{1:b}", "}", "", "__proto__", "constructor", "a{1:b", "2:ab", "p:0"];
		const objects: JsonObject[] = names.flatMap((first) =>
			names.flatMap((second) => {
				const data: JsonObject = {};
				setField(data, first, "x");
				setField(data, second, "y");
				return [
					{ metadata: { labels: data }, data },
					{ metadata: { labels: data } },
					{ data, binaryData: { [second]: "eA==" } },
				];
			}),
		);
		for (const object of objects.concat(objects)) {
			const [entry] = trackUpdate(undefined, object, writer("ConfigMap"));
			const { changed } = compare({}, object, { type: "ConfigMap" }, builtinSchemas);
			expect(paths(entry?.fieldsV1 as FieldSet)).toEqual(paths(changed));
		}
	});
});

const configMap = written(
	undefined,
	decoded(
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {test-label: test}}, data: {key: some value}}",
	),
	writer("ConfigMap", { manager: "kubectl" }),
);

/** The account after a write that leaves the object with these data. */
function changed(live: JsonObject, data: JsonObject, more: Partial<Writer> = {}): JsonObject {
	return written(live, { ...live, data }, writer("ConfigMap", { manager: "kube-controller-manager", ...more }));
}

describe("an update", () => {
	test("of a value takes its field over, as the documentation's ConfigMap shows", () => {
		const other = changed(configMap, { key: "new value" }, { time: late });
		expect(entries(other)).toMatchObject([
			{
				manager: "kubectl",
				time: early,
				fieldsV1: { "f:data": {}, "f:metadata": { "f:labels": { "f:test-label": {} } } },
			},
			{ manager: "kube-controller-manager", operation: "Update", time: late, fieldsV1: { "f:data": { "f:key": {} } } },
		]);
		expect(entries(other)[0]?.fieldsV1).not.toHaveProperty(["f:data", "f:key"]);
	});

	test("by the same manager has a new time, also when it owns the field already", () => {
		const other = changed(configMap, { key: "other" }, { manager: "kubectl", time: late });
		expect(entries(other)).toEqual([{ ...entries(configMap)[0], time: late }]);
	});

	test("that only removes adds nothing and leaves the times; who has nothing left is gone", () => {
		const two = changed(configMap, { key: "some value", more: "x" });
		const removed = changed(two, { key: "some value" }, { manager: "kubectl-edit", time: late });
		expect(entries(removed)).toEqual(entries(configMap));
	});

	test("of the same second by the same manager leaves the very list", () => {
		expect(entries(changed(configMap, { key: "other" }, { manager: "kubectl" }))).toBe(entries(configMap));
	});

	test("leaves an object alone whose account was taken away", () => {
		const bare = written(
			configMap,
			{ ...configMap, metadata: { name: "c", managedFields: [{}] } },
			writer("ConfigMap"),
		);
		expect(entries(bare)).toEqual([]);
		expect(entries(changed(bare, { key: "changed" }))).toEqual([]);
	});

	test("by an eleventh manager joins the two oldest, those of subresources counted", () => {
		let object = configMap;
		for (let index = 0; index < 10; index++) {
			const time = `2026-02-${10 + index}T00:00:00Z`;
			const more = { manager: `m${index}`, time, ...(index === 1 && { subresource: "scale" }) };
			object = changed(object, { ...(object["data"] as JsonObject), [`k${index}`]: "x" }, more);
		}
		expect(entries(object).map(({ manager }) => manager)).toEqual([
			"ancient-changes",
			"m1",
			"m2",
			"m3",
			"m4",
			"m5",
			"m6",
			"m7",
			"m8",
			"m9",
		]);
		expect(entries(object)[0]).toMatchObject({
			time: "2026-02-10T00:00:00Z",
			fieldsV1: { "f:data": { ".": {}, "f:k0": {}, "f:key": {} }, "f:metadata": {} },
		});
	});

	test("of the status is kept apart, and names the subresource", () => {
		const pod = written(undefined, decoded(podText), writer("Pod"));
		const status = { phase: "Running", podIPs: [{ ip: "10.0.0.1" }] };
		const by = writer("Pod", { manager: "kubelet", subresource: "status", resetFields: ["spec"] });
		expect(entries(written(pod, { ...pod, status }, by)).find(({ manager }) => manager === "kubelet")).toMatchObject({
			subresource: "status",
			fieldsV1: {
				"f:status": { "f:phase": {}, "f:podIPs": { ".": {}, 'k:{"ip":"10.0.0.1"}': { ".": {}, "f:ip": {} } } },
			},
		});
	});
});

test("pods of one form have the addresses and owners of their own, however often such a pod was seen", () => {
	const statusBy = (manager: string, time: string) =>
		writer("Pod", { manager, time, subresource: "status", resetFields: ["spec"] });
	for (const number of [1, 2, 3]) {
		const uid = `00000000-0000-4000-8000-00000000000${number}`;
		const created = written(undefined, decoded(podText.replace("710786df", uid)), writer("Pod"));
		const withIps = (pod: JsonObject, ips: string[], by: Writer) =>
			written(pod, { ...pod, status: { podIPs: ips.map((ip) => ({ ip })) } }, by);
		const first = `10.0.0.${number}`;
		const one = withIps(created, [first], statusBy("kubelet", early));
		const two = withIps(one, [first, `fd00::${number}`], statusBy("other", late));
		const left = withIps(two, [`fd00::${number}`], statusBy("third", late));
		const owned = (pod: JsonObject) =>
			entries(pod).map(({ manager, fieldsV1 }) => [
				manager,
				paths(fieldsV1 as FieldSet).filter((path) => /ownerReferences\[|podIPs\[.*\]$/.test(path)),
			]);
		const creator = ["kubectl-create", [`.metadata.ownerReferences[uid="${uid}"]`]];
		expect(owned(one)).toEqual([["kubelet", [`.status.podIPs[ip="${first}"]`]], creator].toReversed());
		expect(owned(two)).toEqual([
			creator,
			["kubelet", [`.status.podIPs[ip="${first}"]`]],
			["other", [`.status.podIPs[ip="fd00::${number}"]`]],
		]);
		expect(owned(left)).toEqual([creator, ["kubelet", []], ["other", [`.status.podIPs[ip="fd00::${number}"]`]]]);
		for (const pod of [one, two, left]) {
			expect(JSON.parse(accountJson(entries(pod)))).toEqual(entries(pod));
			for (const entry of entries(pod)) {
				expect(entry.fieldsV1).toBe(entry.fieldsV1);
				expect({ ...entry }).toEqual(deepCopy(entry));
				expect(Object.isFrozen(entry) && Object.isFrozen(entry.fieldsV1)).toBe(true);
			}
		}
	}
});

test("an account is written as it is, whatever its fields are called", () => {
	const data = { '"p:0"': "x", '{"p:0"': "x", "ü\u2028": "x", "p:0": "x" };
	const account = entries(written(undefined, { metadata: {}, data }, writer("ConfigMap", { manager: '"quoted"' })));
	expect(JSON.parse(accountJson(account))).toEqual(account);
	expect(Object.keys(account[0]?.fieldsV1 as FieldSet)).toEqual(["f:data"]);
});

test("objects that are written in one second by one manager share the whole account", () => {
	const [one, other] = ["a", "b"].map((text) =>
		written(
			undefined,
			decoded(`{apiVersion: v1, kind: ConfigMap, metadata: {name: ${text}}, data: {x: y}}`),
			writer("ConfigMap"),
		),
	);
	expect(entries(one as JsonObject)).toBe(entries(other as JsonObject));
});

test("objects that are read again share their sets", () => {
	const again = (): KubeObject => JSON.parse(JSON.stringify(configMap));
	const [one, other] = [again(), again()];
	for (const object of [one, other]) shareAccount(object);
	expect(one.metadata.managedFields?.[0]?.fieldsV1).toBe(other.metadata.managedFields?.[0]?.fieldsV1);
	expect(one).toEqual(configMap);
});
