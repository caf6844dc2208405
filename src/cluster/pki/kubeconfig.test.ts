import { expect, test } from "vitest";
import { clusterName, layoutOf } from "../files/layout.ts";
import { kubeconfigText } from "./kubeconfig.ts";

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
