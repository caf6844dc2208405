/** Service ranges and addresses as objects (KEP-1880), flow control as objects ("API Priority and Fairness"). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "../../src/index.ts";
import { flowSchemas } from "../../src/kinds/flowcontrol/flowschema.ts";
import type { ServiceCIDR } from "../../src/kinds/generated/types.ts";
import { ipAddresses } from "../../src/kinds/networking/ipaddress.ts";
import { services } from "../../src/kinds/networking/service.ts";
import { serviceCIDRs } from "../../src/kinds/networking/servicecidr.ts";

let cluster: Cluster;
beforeAll(async () => {
	cluster = await startCluster({ nodes: 0, serviceCidr: "10.96.0.0/29" });
});
afterAll(() => cluster?.stop());

const service = (name: string, clusterIP?: string) => ({
	metadata: { namespace: "default", name },
	spec: { ports: [{ port: 80 }], ...(clusterIP && { clusterIP }) },
});
const isReady = (status: string) => (range: ServiceCIDR | undefined) =>
	range?.status?.conditions?.some((one) => one.type === "Ready" && one.status === status) ?? false;

test("a service's address is an object that goes with it and comes back when it is deleted", async () => {
	const { client } = cluster;
	const { spec } = await client.create(services, service("web"));
	const name = spec.clusterIP ?? "";
	const address = await cluster.waitFor(ipAddresses, { name }, "exists");
	expect(address.spec.parentRef).toEqual({ group: "", resource: "services", namespace: "default", name: "web" });
	expect(address.metadata.labels).toEqual({
		"ipaddress.kubernetes.io/ip-family": "IPv4",
		"ipaddress.kubernetes.io/managed-by": "ipallocator",
	});
	await client.delete(ipAddresses, { name });
	await cluster.waitFor(ipAddresses, { name }, (again) => again?.metadata.uid !== undefined && again !== address);
	await client.delete(services, { namespace: "default", name: "web" });
	await cluster.waitFor(ipAddresses, { name }, "deleted");
});

test("an address that a user reserved goes to no service", async () => {
	const { client } = cluster;
	const parentRef = { resource: "machines", name: "printer" };
	await client.create(ipAddresses, { metadata: { name: "10.96.0.3" }, spec: { parentRef } });
	await expect(client.create(services, service("mine", "10.96.0.3"))).rejects.toThrow("is already allocated");
	await expect(client.create(ipAddresses, { metadata: { name: "10.96.0.03" }, spec: { parentRef } })).rejects.toThrow(
		"must not have leading 0s",
	);
	await client.delete(ipAddresses, { name: "10.96.0.3" });
});

test("another range has room when the first is full, and stays as long as its addresses are used", async () => {
	const { client } = cluster;
	const full = async () => {
		for (let index = 0; ; index++) await client.create(services, service(`fill-${index}`));
	};
	await expect(full()).rejects.toThrow("range is full");
	await expect(client.create(services, service("next", "10.97.0.9"))).rejects.toThrow("does not match");
	await client.create(serviceCIDRs, { metadata: { name: "more" }, spec: { cidrs: ["10.97.0.0/24"] } });
	await cluster.waitFor(serviceCIDRs, { name: "more" }, isReady("True"));
	expect((await client.create(services, service("next"))).spec.clusterIP).toMatch(/^10\.97\.0\./);
	await cluster.waitForList(ipAddresses, {}, (all) => all.some(({ metadata }) => metadata.name.startsWith("10.97.")));
	await client.delete(serviceCIDRs, { name: "more" });
	await cluster.waitFor(serviceCIDRs, { name: "more" }, isReady("False"));
	await client.delete(services, { namespace: "default", name: "next" });
	await cluster.waitFor(serviceCIDRs, { name: "more" }, "deleted");
});

test("a flow schema says whether its priority level is there, and nonsense is refused", async () => {
	const { client } = cluster;
	const dangling = (status: string) => (schema: { status?: { conditions?: object[] } } | undefined) =>
		JSON.stringify(schema?.status?.conditions ?? []).includes(`"status":"${status}"`);
	await cluster.waitFor(flowSchemas, { name: "service-accounts" }, dangling("False"));
	const spec = { priorityLevelConfiguration: { name: "nowhere" } };
	await client.create(flowSchemas, { metadata: { name: "mine" }, spec });
	await cluster.waitFor(flowSchemas, { name: "mine" }, dangling("True"));
	const own = await client.get(flowSchemas, { name: "global-default" });
	// As it was made: nothing has written it again.
	expect(own.metadata.generation).toBe(1);
	await client.update(flowSchemas, { ...own, spec: { ...own.spec, matchingPrecedence: 9000 } });
	await cluster.waitFor(flowSchemas, { name: "global-default" }, (schema) => schema?.spec.matchingPrecedence === 9900);
	const rules = [{ subjects: [{ kind: "Moon" }] }];
	await expect(client.create(flowSchemas, { metadata: { name: "bad" }, spec: { ...spec, rules } })).rejects.toThrow(
		'spec.rules[0].subjects[0].kind: Unsupported value: "Moon"',
	);
});
