import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { type TestApi, testApi } from "../testing/test-api.ts";

const namespace = "/api/v1/namespaces/default";
const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

/** The number of admission calls by operation. */
async function admitted(api: TestApi): Promise<Record<string, number>> {
	const text = (await api.ask("GET", "/metrics")).response;
	if (text.type !== "object") throw new Error("no metrics");
	const bytes = text.bytes();
	const lines = Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes)
		.toString()
		.split("\n");
	const counts: Record<string, number> = {};
	for (const line of lines) {
		const [, operation, count] =
			/^apiserver_admission_step_admission_duration_seconds_count\{operation="(\w+)",rejected="false",type="admit"\} (\d+)/.exec(
				line,
			) ?? [];
		if (operation !== undefined) counts[operation] = Number(count);
	}
	return counts;
}

async function during(api: TestApi, work: () => Promise<unknown>): Promise<Record<string, number>> {
	const before = await admitted(api);
	await work();
	const after = await admitted(api);
	return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

test("an eviction, the budget that it is charged to, and the condition that announces it all pass admission", async () => {
	const api = await testApi();
	await api.ask("POST", `${namespace}/serviceaccounts`, { metadata: { name: "default" } });
	const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }] };
	await api.ask("POST", `${namespace}/pods`, { metadata: { name: "p", labels: { app: "a" } }, spec });
	const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
	await api.ask("PATCH", `${namespace}/pods/p/status`, { status }, { type: "application/merge-patch+json" });
	await api.ask("POST", budgets, { metadata: { name: "b" }, spec: { selector: { matchLabels: { app: "a" } } } });
	const allowed = {
		disruptionsAllowed: 1,
		currentHealthy: 1,
		desiredHealthy: 0,
		expectedPods: 1,
		observedGeneration: 1,
	};
	const merge = { type: "application/merge-patch+json" };
	await api.ask("PATCH", `${budgets}/b/status`, { status: allowed }, merge);
	const evict = () => api.ask("POST", `${namespace}/pods/p/eviction`, { metadata: { name: "p" } });
	expect(await during(api, evict)).toEqual({ CONNECT: 0, CREATE: 1, UPDATE: 2, DELETE: 1 });
	const budget = (await api.ask("GET", `${budgets}/b`)).object;
	expect(budget.status.disruptionsAllowed).toBe(0);
	expect(Object.keys(budget.status.disruptedPods)).toEqual(["p"]);
	const pod = (await api.ask("GET", `${namespace}/pods/p`)).object;
	expect(pod.metadata.deletionTimestamp).toBeDefined();
	expect(pod.status.conditions.map(({ type }: { type: string }) => type)).toEqual(["Ready", "DisruptionTarget"]);
	await api.close();
});

test("expiry passes admission, and ignores finalizers", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	const event = { involvedObject: {}, reason: "Tested", metadata: { name: "e", finalizers: ["example.com/never"] } };
	await api.ask("POST", `${namespace}/events`, event);
	expect(await during(api, () => clock.advance(2 * 3_600_000))).toMatchObject({ DELETE: 1 });
	expect((await api.ask("GET", `${namespace}/events/e`)).status).toBe(404);
	await api.close();
});

test("a rehearsed deletion answers with the object as it would be marked, and marks nothing", async () => {
	const api = await testApi();
	const path = `${namespace}/configmaps`;
	await api.ask("POST", path, { metadata: { name: "a", finalizers: ["example.com/held"] } });
	const rehearsed = await api.ask("DELETE", `${path}/a?dryRun=All`);
	expect(rehearsed.object.metadata.deletionTimestamp).toBeDefined();
	expect((await api.ask("GET", `${path}/a`)).object.metadata.deletionTimestamp).toBeUndefined();
	await api.close();
});
