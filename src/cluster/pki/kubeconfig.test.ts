import { expect, test } from "vitest";
import { clusterName, layoutOf } from "../files/layout.ts";
import { keepAdditions, kubeconfigText } from "./kubeconfig.ts";

const user = { cert: "certificate", key: "key" };

function namesIn(text: string): string[] {
	const { clusters, users, contexts, ...rest } = JSON.parse(text);
	return [...[...clusters, ...users, ...contexts].map(({ name }: { name: string }) => name), rest["current-context"]];
}

test("kubeconfigs of two clusters and two users have no name in common but the cluster's", () => {
	const text = (cluster: string, userName?: string) =>
		namesIn(kubeconfigText({ cluster, server: "https://127.0.0.1:1", ca: "ca", user, ...(userName && { userName }) }));
	expect(text("coxswain")).toEqual(["coxswain", "coxswain-admin", "coxswain", "coxswain"]);
	expect(text("coxswain-a")).toEqual(["coxswain-a", "coxswain-a-admin", "coxswain-a", "coxswain-a"]);
	expect(text("coxswain", "ann")).toEqual(["coxswain", "ann@coxswain", "ann@coxswain", "ann@coxswain"]);
});

test("a cluster is called as its data directory, with digits that tell it from others of that name", () => {
	const name = (data: string | undefined) => clusterName(layoutOf(data));
	expect(name("/tmp/one/data")).toMatch(/^coxswain-data-[0-9a-f]{4}$/);
	expect(name("/tmp/one/data")).not.toBe(name("/tmp/other/data"));
	expect(name("/tmp/ä b")).toMatch(/^coxswain-+b-[0-9a-f]{4}$/);
	expect(name(`${process.env.HOME}/.coxswain`)).toBe("coxswain");
});

test("a kubeconfig that is written again keeps what kubectl config added, and nothing of its own old entries", () => {
	const text = (server: string) => kubeconfigText({ cluster: "coxswain", server, ca: "ca", user });
	const fresh = text("https://127.0.0.1:2");
	// The result of `kubectl config set-credentials`, `set-context` and `use-context`.
	const edited = `
apiVersion: v1
kind: Config
clusters:
- { name: coxswain, cluster: { server: "https://127.0.0.1:1" } }
users:
- { name: coxswain-admin, user: { client-key-data: b2xk } }
- { name: worker, user: { token: a.b } }
contexts:
- { name: coxswain, context: { cluster: coxswain, user: coxswain-admin, namespace: dev } }
- { name: as-worker, context: { cluster: coxswain, user: worker } }
current-context: as-worker
`;
	const kept = JSON.parse(keepAdditions(edited, fresh));
	expect(namesIn(JSON.stringify(kept))).toEqual([
		...["coxswain", "coxswain-admin", "worker", "coxswain", "as-worker", "as-worker"],
	]);
	expect(kept.clusters[0].cluster.server).toBe("https://127.0.0.1:2");
	expect(kept.users[0]).toEqual(JSON.parse(fresh).users[0]);
	expect(kept.contexts[0].context.namespace).toBe("dev");
	for (const broken of ["", "not: [a kubeconfig", "[]", '{"users": 1, "current-context": "gone"}', fresh])
		expect(keepAdditions(broken, fresh)).toBe(fresh);
	expect(keepAdditions(text("https://127.0.0.1:1"), fresh)).toBe(fresh);
});
