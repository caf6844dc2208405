import { expect, test } from "vitest";
import { services, startCluster } from "../../src/index.ts";

test("a LoadBalancer on simulated nodes has an address of its own, and is gone when it is deleted", async () => {
	await using cluster = await startCluster({ clock: "virtual" });
	const service = (name: string) => ({
		apiVersion: "v1",
		kind: "Service",
		metadata: { name },
		spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
	});
	for (const name of ["one", "two"]) await cluster.apply(service(name));
	const addressOf = async (name: string) => {
		const found = await cluster.waitFor(services, name, ({ status }) => status?.loadBalancer?.ingress !== undefined);
		return found.status?.loadBalancer?.ingress?.[0];
	};
	const [one, two] = await Promise.all(["one", "two"].map(addressOf));
	expect(one).toMatchObject({ ip: expect.stringMatching(/^127\.64\.0\./), ipMode: "Proxy" });
	expect(two?.ip).not.toBe(one?.ip);
	await cluster.delete(service("one"));
});
