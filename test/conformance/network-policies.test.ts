/** Network policies on a whole cluster: what changes reaches the nodes, and pods are protected from their start. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, merge } from "./harness.ts";
import { podOf } from "./objects.ts";

const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });

conformance("NetworkPolicies", "shared", (target) => {
	test.concurrent("follow policies, labels of pods and labels of namespaces", async () => {
		await using space = await target().namespace("policies");
		const policies = `/apis/networking.k8s.io/v1/namespaces/${space.name}/networkpolicies`;
		const make = (name: string, spec: Json) => target().post(policies, { metadata: { name }, spec });
		// Before the server: no connection reaches it, not even while it starts.
		await make("closed", app("server"));
		const ports = [{ name: "web", containerPort: 9376 }];
		const [server] = await Promise.all([
			space.run(podOf("server", { args: ["serve-hostname"], ports }, {}, { labels: { app: "server" } })),
			space.run(podOf("client", {}, {}, { labels: { app: "client" } })),
		]);
		await target().post(space.core("services"), {
			metadata: { name: "server" },
			spec: { selector: { app: "server" }, ports: [{ port: 80, targetPort: "web" }] },
		});
		const get = async (host: string) => {
			const text = await space.exec("client", `curl -s --connect-timeout 0.5 http://${host}/ || echo " failed"`);
			return text.trim();
		};
		const address = `${server.status.podIP}:9376`;
		expect(await get(address)).toBe("failed");

		await make("from-friends", { ...app("server"), ingress: [{ from: [app("friend")], ports: [{ port: "web" }] }] });
		expect(await get(address)).toBe("failed");
		await target().patch(space.core("pods", "client"), merge, { metadata: { labels: { app: "friend" } } });
		await eventually(async () => expect(await get("server")).toBe("server"));

		await make("to-team", { ...app("friend"), policyTypes: ["Egress"], egress: [{ to: [team(space.name)] }] });
		await eventually(async () => expect(await get(address)).toBe("failed"));
		await target().patch(`/api/v1/namespaces/${space.name}`, merge, { metadata: { labels: { team: space.name } } });
		await eventually(async () => expect(await get(address)).toBe("server"));
		// Names need DNS, which the policy forbids until another one allows it as manifests for other clusters do.
		expect(await get("server")).toBe("failed");
		const system = { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } };
		const dns = { namespaceSelector: system, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
		await make("to-dns", {
			...app("friend"),
			policyTypes: ["Egress"],
			egress: [{ to: [dns], ports: [{ protocol: "UDP", port: 53 }] }],
		});
		await eventually(async () => expect(await get("server")).toBe("server"));

		await target().patch(space.core("pods", "client"), merge, { metadata: { labels: { app: "client" } } });
		await eventually(async () => expect(await get(address)).toBe("failed"));
		await target().delete(`${policies}/from-friends`);
		await target().delete(`${policies}/closed`);
		await eventually(async () => expect(await get("server")).toBe("server"));
	}, 60_000);
});

const team = (name: string) => ({ namespaceSelector: { matchLabels: { team: name } } });
