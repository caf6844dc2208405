import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { builtinSchemas } from "../../kinds/builtin-schemas.ts";
import { applyStrategicPatch } from "./strategic-merge-patch.ts";

const patchPod = (document: string, patch: string) =>
	applyStrategicPatch(parse(document), parse(patch), "PodSpec", builtinSchemas);

describe("on the spec of a pod", () => {
	/** Behaviour, document, patch, result. */
	const cases: [string, string, string, string][] = [
		["null takes a field away", "{hostname: a, subdomain: b}", "{hostname: null}", "{subdomain: b}"],
		[
			"objects merge",
			"{securityContext: {runAsUser: 1}}",
			"{securityContext: {runAsGroup: 2}}",
			"{securityContext: {runAsUser: 1, runAsGroup: 2}}",
		],
		[
			"maps merge",
			"{nodeSelector: {a: '1', b: '2'}}",
			"{nodeSelector: {a: null, c: '3'}}",
			"{nodeSelector: {b: '2', c: '3'}}",
		],
		[
			"containers merge by name",
			"{containers: [{name: a, image: x}, {name: b}]}",
			"{containers: [{name: a, image: y}]}",
			"{containers: [{name: a, image: y}, {name: b}]}",
		],
		[
			"a new container comes first when the patch names it first",
			"{containers: [{name: a}]}",
			"{containers: [{name: b}]}",
			"{containers: [{name: b}, {name: a}]}",
		],
		[
			"a container is deleted by directive",
			"{containers: [{name: a}, {name: b}]}",
			"{containers: [{name: a, $patch: delete}]}",
			"{containers: [{name: b}]}",
		],
		[
			"a list is replaced by directive",
			"{containers: [{name: a}, {name: b}]}",
			"{containers: [{name: c}, {$patch: replace}]}",
			"{containers: [{name: c}]}",
		],
		[
			"an object is replaced by directive",
			"{securityContext: {runAsUser: 1}}",
			"{securityContext: {$patch: replace, runAsGroup: 2}}",
			"{securityContext: {runAsGroup: 2}}",
		],
		[
			"an object is emptied by directive",
			"{securityContext: {runAsUser: 1}}",
			"{securityContext: {$patch: delete}}",
			"{securityContext: {}}",
		],
		[
			"an object merges by directive",
			"{securityContext: {runAsUser: 1}}",
			"{securityContext: {$patch: merge, runAsGroup: 2}}",
			"{securityContext: {runAsUser: 1, runAsGroup: 2}}",
		],
		[
			"atomic lists are replaced",
			"{tolerations: [{key: a}]}",
			"{tolerations: [{key: b}]}",
			"{tolerations: [{key: b}]}",
		],
		[
			"lists of strings without a strategy are replaced",
			"{containers: [{name: a, args: [x]}]}",
			"{containers: [{name: a, args: [y]}]}",
			"{containers: [{name: a, args: [y]}]}",
		],
		[
			"env merges inside of containers",
			"{containers: [{name: a, env: [{name: X, value: '1'}, {name: Y, value: '2'}]}]}",
			"{containers: [{name: a, env: [{name: Y, value: '3'}, {name: X, $patch: delete}]}]}",
			"{containers: [{name: a, env: [{name: Y, value: '3'}]}]}",
		],
		[
			"ports merge by containerPort",
			"{containers: [{name: a, ports: [{containerPort: 80}]}]}",
			"{containers: [{name: a, ports: [{containerPort: 80, name: web}]}]}",
			"{containers: [{name: a, ports: [{containerPort: 80, name: web}]}]}",
		],
		[
			"keys not retained go",
			"{volumes: [{name: v, emptyDir: {}}]}",
			"{volumes: [{name: v, $retainKeys: [name, hostPath], hostPath: {path: /x}}]}",
			"{volumes: [{name: v, hostPath: {path: /x}}]}",
		],
		[
			"order of elements is set",
			"{containers: [{name: a}, {name: b}, {name: c}]}",
			"{$setElementOrder/containers: [{name: c}, {name: a}, {name: b}]}",
			"{containers: [{name: c}, {name: a}, {name: b}]}",
		],
		[
			"items the order does not name keep their place before others",
			"{containers: [{name: a}, {name: server}, {name: b}]}",
			"{$setElementOrder/containers: [{name: b}, {name: a}], containers: [{name: b, image: x}]}",
			"{containers: [{name: server}, {name: b, image: x}, {name: a}]}",
		],
		[
			"nulls and directives in what is new are dropped",
			"{}",
			"{securityContext: {runAsUser: null, runAsGroup: 1}, containers: [{name: a, image: null}, {name: b, $patch: delete}]}",
			"{securityContext: {runAsGroup: 1}, containers: [{name: a}]}",
		],
		[
			"fields without a type merge like objects",
			"{unknown: {a: 1, list: [1]}}",
			"{unknown: {b: 2, list: [2]}}",
			"{unknown: {a: 1, b: 2, list: [2]}}",
		],
	];
	test.each(cases)("%s", (_, document, patch, expected) => {
		expect(patchPod(document, patch)).toEqual(parse(expected));
	});
});

test("finalizers merge as a set, and are taken out by name", () => {
	const meta = (patch: string) =>
		applyStrategicPatch({ finalizers: ["a", "b"] }, parse(patch), "ObjectMeta", builtinSchemas)["finalizers"];
	expect(meta("{finalizers: [c, a]}")).toEqual(["c", "a", "b"]);
	expect(meta("{$deleteFromPrimitiveList/finalizers: [a]}")).toEqual(["b"]);
	expect(
		meta("{$deleteFromPrimitiveList/finalizers: [a], $setElementOrder/finalizers: [c, b], finalizers: [c]}"),
	).toEqual(["c", "b"]);
});

test("a deployment's strategy changes its kind by retainKeys", () => {
	const spec = { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } };
	const patch = parse("{strategy: {$retainKeys: [type], type: Recreate}}");
	expect(applyStrategicPatch(spec, patch, "DeploymentSpec", builtinSchemas)).toEqual({
		strategy: { type: "Recreate" },
	});
});

test("neither the document nor the patch is changed", () => {
	const document = Object.freeze({ containers: Object.freeze([Object.freeze({ name: "a" })]) });
	const patch = Object.freeze({ containers: Object.freeze([Object.freeze({ name: "a", image: "x" })]) });
	expect(applyStrategicPatch(document, patch, "PodSpec", builtinSchemas)).toEqual({
		containers: [{ name: "a", image: "x" }],
	});
});

test("an item without its merge key is refused", () => {
	expect(() => patchPod("{containers: [{name: a}]}", "{containers: [{image: x}]}")).toThrow(
		expect.objectContaining({ reason: "Invalid" }),
	);
});

test("an order that does not fit the patch is refused", () => {
	const patch = "{$setElementOrder/containers: [{name: a}, {name: b}], containers: [{name: b}, {name: a}]}";
	expect(() => patchPod("{}", patch)).toThrow(/doesn't match \$setElementOrder list/);
});

test("a patch cannot reach what all objects inherit", () => {
	applyStrategicPatch({}, JSON.parse('{"__proto__": {"polluted": true}}'), "PodSpec", builtinSchemas);
	expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
