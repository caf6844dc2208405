import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";
import { checkPlugins, parsePlugins } from "./plugins.ts";

const services = "/api/v1/namespaces/default/services";
const service = (externalIPs: string[]) => ({
	metadata: { name: "x" },
	spec: { ports: [{ port: 80 }], externalIPs },
});

test("external addresses of services are refused only where the option says so", async () => {
	const open = await testApi();
	expect((await open.ask("POST", services, service(["192.0.2.1"]))).status).toBe(201);
	await open.close();
	const closed = await testApi({ admissionPlugins: ["DenyServiceExternalIPs"] });
	const refusal = await closed.ask("POST", services, service(["192.0.2.1"]));
	expect([refusal.status, refusal.object.message]).toEqual([
		403,
		'services "x" is forbidden: Use of external IPs is denied by admission control',
	]);
	expect((await closed.ask("POST", services, service([]))).status).toBe(201);
	const headers = { "content-type": "application/merge-patch+json" };
	const change = await closed.ask("PATCH", `${services}/x`, { spec: { externalIPs: ["192.0.2.1"] } }, { headers });
	expect(change.status).toBe(403);
	await closed.close();
});

test("the list of plugins is upstream's flag, and unknown names are refused", () => {
	expect(parsePlugins("NodeRestriction, DenyServiceExternalIPs,PodSecurity,")).toEqual([
		"NodeRestriction",
		"DenyServiceExternalIPs",
		"PodSecurity",
	]);
	expect(() => checkPlugins(["ImagePolicyWebhook"])).toThrow(
		"there is no admission plugin ImagePolicyWebhook; those that can be enabled are DenyServiceExternalIPs, OwnerReferencesPermissionEnforcement",
	);
});
