import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";

test("the parts of the control plane are well, one by one, as a list and as a table, with a warning", async () => {
	const api = await testApi();
	const list = await api.ask("GET", "/api/v1/componentstatuses");
	expect(list.headers["warning"]).toBe('299 - "v1 ComponentStatus is deprecated in v1.19+"');
	expect(list.object.kind).toBe("ComponentStatusList");
	expect(list.object.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
		"controller-manager",
		"scheduler",
		"etcd-0",
	]);
	const one = (await api.ask("GET", "/api/v1/componentstatuses/etcd-0")).object;
	expect(one.conditions).toEqual([{ type: "Healthy", status: "True", message: "ok" }]);
	expect((await api.ask("GET", "/api/v1/componentstatuses/moon")).status).toBe(404);
	const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
	const table = (await api.ask("GET", "/api/v1/componentstatuses", undefined, { headers })).object;
	expect(table.rows[0].cells).toEqual(["controller-manager", "Healthy", "ok", ""]);
	const { resources } = (await api.ask("GET", "/api/v1")).object;
	const named = resources.find(({ name }: { name: string }) => name === "componentstatuses");
	expect(named).toMatchObject({ shortNames: ["cs"], verbs: ["get", "list"], namespaced: false });
	await api.close();
});
