import { expect, test } from "vitest";
import { testApi } from "../../testing/test-api.ts";

const pods = "/api/v1/namespaces/default/pods";
const pod = (spec: object) => ({
	metadata: { name: "x" },
	spec: { containers: [{ name: "web", image: "web" }], ...spec },
});

async function withClass() {
	const api = await testApi({ namespaces: ["default"] });
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	const created = await api.ask("POST", "/apis/node.k8s.io/v1/runtimeclasses", {
		metadata: { name: "sandboxed" },
		handler: "gvisor",
		overhead: { podFixed: { cpu: "10m" } },
		scheduling: { nodeSelector: { runtime: "gvisor" }, tolerations: [{ key: "gvisor", operator: "Exists" }] },
	});
	expect(created.status).toBe(201);
	return api;
}

test("a pod gets its runtime class's overhead, nodes and tolerations", async () => {
	const api = await withClass();
	const { object } = await api.ask("POST", pods, pod({ runtimeClassName: "sandboxed", nodeSelector: { disk: "ssd" } }));
	expect(object.spec).toMatchObject({
		overhead: { cpu: "10m" },
		nodeSelector: { disk: "ssd", runtime: "gvisor" },
		tolerations: expect.arrayContaining([{ key: "gvisor", operator: "Exists" }]),
	});
	await api.close();
});

test.each([
	[{ runtimeClassName: "other" }, 'RuntimeClass "other" not found'],
	[
		{ runtimeClassName: "sandboxed", overhead: { cpu: "1" } },
		"Pod's Overhead doesn't match RuntimeClass's defined Overhead",
	],
	[{ overhead: { cpu: "1" } }, "Pod Overhead set without corresponding RuntimeClass defined Overhead"],
	[
		{ runtimeClassName: "sandboxed", nodeSelector: { runtime: "runc" } },
		"conflict: runtimeClass.scheduling.nodeSelector[runtime]",
	],
])("a pod with %o is refused", async (spec, message) => {
	const api = await withClass();
	const { status, object } = await api.ask("POST", pods, pod(spec));
	expect(status).toBe(403);
	expect(object.message).toContain(`pods "x" is forbidden: pod rejected: ${message}`);
	await api.close();
});
