import { expect, test } from "vitest";
import type { Run, RunPod } from "../../kinds/history/types.ts";
import { boundedRun, mostRunBytes } from "./run-size.ts";

const pod = (name: string, phase: string, containers: number, attempts: number, text = "x".repeat(1024)): RunPod => ({
	name,
	uid: name,
	phase,
	containers: Array.from({ length: containers }, (_, container) => ({
		name: `c-${container}`,
		image: `registry.example.com/${text}`,
		attempts: Array.from({ length: attempts }, (_, number) => ({
			number,
			exitCode: 1,
			reason: "Error",
			message: text,
		})),
	})),
});

const run = (pods: RunPod[], labels: Record<string, string> = {}): Run => ({
	apiVersion: "history.coxswain.io/v1",
	kind: "Run",
	// The stored value does not contain the resourceVersion.
	metadata: {
		name: "a-1",
		namespace: "shop",
		uid: "u",
		labels: { "job-name": "a", cronjob: "c", ...labels },
	} as unknown as Run["metadata"],
	spec: { jobName: "a" },
	status: { result: "Failed", message: "why", pods },
});

test("a run of usual size stays as it is", () => {
	const usual = run([pod("a", "Failed", 3, 20)]);
	expect(boundedRun(usual).run).toBe(usual);
});

test("a run that is too large leaves out pods that succeeded, then texts and starts, then containers and labels", () => {
	const failed = [pod("f-1", "Failed", 10, 5), pod("f-2", "Failed", 10, 5)];
	const many = boundedRun(
		run([...Array.from({ length: 40 }, (_, index) => pod(`s-${index}`, "Succeeded", 2, 5)), ...failed]),
	);
	expect(many.run.status.pods?.slice(-2)).toEqual(failed);
	expect(many.run.status.podsLeftOut).toBeGreaterThan(0);

	const [long] = boundedRun(run([pod("a", "Failed", 30, 20)])).run.status.pods ?? [];
	expect(long?.containers).toHaveLength(30);
	expect(long?.containers?.[0]?.attempts?.map(({ number }) => number)).toEqual([17, 18, 19]);

	const labels = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`${"l".repeat(50)}-${index}`, "v"]));
	const huge = [
		run([pod("a", "Failed", 5000, 3)]),
		run([pod("a", "Failed", 1, 1)], labels),
		run(
			Array.from({ length: 50 }, (_, index) => pod(`p-${index}`, "Running", 30, 5)),
			labels,
		),
	];
	for (const one of huge) {
		const bounded = boundedRun(one);
		expect(bounded.value.length).toBeLessThanOrEqual(mostRunBytes);
		expect(JSON.parse(Buffer.from(bounded.value).toString())).toEqual(bounded.run);
		expect(bounded.run.metadata.labels).toMatchObject({ "job-name": "a", cronjob: "c" });
		expect(bounded.run.status.pods).not.toEqual([]);
		// A run that was shortened is not shortened again.
		expect(boundedRun(bounded.run).run).toBe(bounded.run);
	}
});
