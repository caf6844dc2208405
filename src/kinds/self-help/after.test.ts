import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { cycleOf } from "./after.ts";

test("searches for cycles share what they may look at", () => {
	const size = 300;
	const names = (from: number) => Array.from({ length: 20 }, (_, step) => `job/j${((from + step) % size) + 1}`).join();
	// All of them wait for each other, and none for the object itself.
	const job = (index: number): KubeObject =>
		({
			kind: "Job",
			metadata: { name: `j${index}`, annotations: { "coxswain.io/after": names(index) } },
		}) as unknown as KubeObject;
	let looks = 0;
	const find = ({ name }: { name: string }) => {
		looks++;
		return job(Number(name.slice(1)));
	};
	const patience = { workloads: 50 };
	for (let search = 0; search < 20; search++) expect(cycleOf(job(0), find, patience)).toBeUndefined();
	expect(patience.workloads).toBe(0);
	expect(looks).toBeLessThanOrEqual(50 * 20);
});
