import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { ManagedPod } from "../context/managed-pod.ts";
import { type NodeContext, VolumeError } from "../context/node-context.ts";
import { execute } from "./pod-actions.ts";

test("a claim that is about to be bound is looked for again, without an event unless it stays so", async () => {
	const clock = new VirtualClock();
	const events: string[] = [];
	let tries = 0;
	// Mounting uses no other fields of a node.
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
	let retry = 0;
	const managed: ManagedPod = new ManagedPod(
		context,
		{ metadata: { uid: "u" }, spec: { containers: [] } } as unknown as Pod,
		{
			wake() {
				const { volumes } = managed.runtimeState;
				retry = volumes.state === "failed" ? volumes.retryAtMs : 0;
			},
			removed: () => {},
		},
	);
	const { observedAtMs } = managed.runtimeState;
	for (let round = 0; round < 5; round++) {
		execute(managed, { do: "mountVolumes" });
		await clock.advance(0);
		await clock.advance(retry - clock.now());
	}
	expect({ tries, events, tookMs: clock.now() - observedAtMs }).toEqual({ tries: 5, events: [], tookMs: 620 });
	await clock.advance(10_000);
	execute(managed, { do: "mountVolumes" });
	await clock.advance(0);
	expect(events).toEqual(["Warning FailedMount"]);
});
