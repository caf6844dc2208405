import { expect, test } from "vitest";
import { VirtualClock } from "../../core/virtual-clock.ts";
import { type NodeContext, VolumeError } from "../context/node-context.ts";
import { PodMemoryKeeper } from "../context/pod-memory.ts";
import type { PodState } from "../pod/pod-state.ts";
import { PodActions } from "./pod-actions.ts";

test("a claim that is about to be bound is looked for again, without an event unless it stays so", async () => {
	const clock = new VirtualClock();
	const memory = new PodMemoryKeeper(clock.now());
	const events: string[] = [];
	let tries = 0;
	// Mounting uses no more of a node than this.
	const context = {
		clock,
		events: { record: (_: unknown, type: string, reason: string) => events.push(`${type} ${reason}`) },
		files: {
			async prepare() {
				tries++;
				throw new VolumeError("error processing PVC default/www-web-0: PVC is not bound", { pending: true });
			},
		},
	} as unknown as NodeContext;
	const state = { pod: { metadata: { uid: "u" } } } as PodState;
	let retry = 0;
	const actions = new PodActions(
		context,
		memory,
		() => state,
		() => {
			const { volumes } = memory;
			retry = volumes.state === "failed" ? volumes.retryAtMs : 0;
		},
	);
	for (let round = 0; round < 5; round++) {
		actions.do({ do: "mountVolumes" });
		await clock.advance(0);
		await clock.advance(retry - clock.now());
	}
	expect({ tries, events, tookMs: clock.now() - memory.observedAtMs }).toEqual({ tries: 5, events: [], tookMs: 620 });
	await clock.advance(10_000);
	actions.do({ do: "mountVolumes" });
	await clock.advance(0);
	expect(events).toEqual(["Warning FailedMount"]);
});
