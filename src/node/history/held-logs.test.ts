import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import { LogKeeper } from "./log-keeper.ts";

test("a log that two want at once counts once among what is held in memory", async () => {
	const clock = new VirtualClock();
	const delivered: number[] = [];
	const keeper = new LogKeeper({
		clock,
		async deliver(logs) {
			delivered.push(...logs.map(({ attempt }) => attempt));
			return logs.map(() => true);
		},
	});
	const owner = { apiVersion: "batch/v1", kind: "Job", name: "job", uid: "job-uid", controller: true };
	// The log keeper reads only these two fields.
	const pod = { metadata: { name: "pod", namespace: "default", uid: "u", ownerReferences: [owner] } } as unknown as Pod;
	const log = { data: new Uint8Array(512 * 1024), bytes: 1024 * 1024, omittedBytes: 0 };
	for (let attempt = 0; attempt < 20; attempt++) {
		const container = { id: `c${attempt}`, config: { name: "main", attempt }, state: "exited" } as unknown as Container;
		keeper.ended(pod, container, async () => log);
	}
	await Promise.all([keeper.settle("u"), keeper.settle("u")]);
	await clock.advance(10_000);
	expect(delivered).toEqual(Array.from({ length: 20 }, (_, attempt) => attempt));
	await keeper.stop();
});
