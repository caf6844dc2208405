import { expect, test } from "vitest";
import { testApi } from "./testing.ts";

async function batchResources(userAgent: string): Promise<string[]> {
	const api = await testApi();
	const { object } = await api.ask("GET", "/apis/batch/v1", undefined, { headers: { "user-agent": userAgent } });
	await api.close();
	return object.resources.map((resource: { name: string }) => resource.name);
}

test("a kubectl that cannot read CronJobs of batch/v1 is not offered them", async () => {
	expect(await batchResources("kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19")).toEqual(["jobs", "jobs/status"]);
	expect(await batchResources("kubectl/v1.21.0 (linux/amd64) kubernetes/cb303e6")).toContain("cronjobs");
	expect(await batchResources("kubectl/v1.36.4 (linux/amd64) kubernetes/0000000")).toContain("cronjobs");
});
