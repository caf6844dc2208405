/** Jobs that are over at once, many at a time: each has one pod, which stays with its log. */
import { expect, test } from "vitest";
import { eventually, TestCluster } from "./cluster.ts";

const count = 15;

test("jobs that are over at once keep the one pod that did their work", { timeout: 60_000 }, async () => {
	await using cluster = await TestCluster.start("--nodes", "2");
	const jobs = ["Never", "OnFailure"].flatMap((restartPolicy) =>
		Array.from({ length: count }, (_, index) => ({
			apiVersion: "batch/v1",
			kind: "Job",
			metadata: { name: `${restartPolicy.toLowerCase()}-${index}` },
			spec: {
				template: {
					spec: { restartPolicy, containers: [{ name: "main", image: "busybox", command: ["echo", "done"] }] },
				},
			},
		})),
	);
	await cluster.kubectlInput(JSON.stringify({ apiVersion: "v1", kind: "List", items: jobs }), "apply", "-f", "-");
	const column = async (kind: string, path: string) => {
		const text = await cluster.kubectl("get", kind, "-o", `jsonpath={range .items[*]}{${path}}{"\\n"}{end}`);
		return text.trimEnd().split("\n");
	};
	const all = (value: string) => Array.from({ length: 2 * count }, () => value);
	await eventually(async () =>
		expect(await column("jobs", ".status.conditions[?(@.type=='Complete')].status")).toEqual(all("True")),
	);
	expect(await column("jobs", ".status.succeeded")).toEqual(all("1"));
	expect(await column("pods", ".status.phase")).toEqual(all("Succeeded"));
	const reasons = await column("events", ".reason");
	expect(reasons.filter((reason) => reason === "SuccessfulDelete")).toEqual([]);
	expect(reasons.filter((reason) => reason === "SuccessfulCreate")).toHaveLength(2 * count);
	const logs = await cluster.kubectl("logs", "-l", "batch.kubernetes.io/job-name", "--max-log-requests=50");
	expect(logs.trimEnd().split("\n")).toEqual(all("done"));
});
