import { expect, test } from "vitest";
import type { InformerCache } from "../client/informer-cache.ts";
import type { Clock } from "../core/time/clock.ts";
import { statefulSets } from "../kinds/apps/statefulset.ts";
import type { WorkloadSeen } from "./events/workload-events.ts";
import { Looks } from "./looks.ts";
import { Draft } from "./outbox/draft.ts";
import type { Journal } from "./outbox/journal.ts";
import type { PolicyIndex } from "./policy-index.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** A StatefulSet without ready pods, and a policy that reports it after ten minutes. */
function stuckSet() {
	let wallMs = Date.parse("2026-01-01T00:00:00Z");
	let monotonicMs = 0;
	const seen = new Map<string, WorkloadSeen | undefined>();
	const policy = {
		key: "p",
		namespace: "shop",
		name: "all",
		events: new Set(["Stuck"]),
		stuckMs: 10 * minute,
		spec: {},
		sinks: [{ name: "s" }],
	};
	const db = { kind: "StatefulSet", metadata: { name: "db", namespace: "shop", uid: "u" }, spec: { replicas: 1 } };
	const open = () =>
		new Looks({
			// As much of each as a look at a workload uses.
			clock: { now: () => wallMs, monotonicMs: () => monotonicMs } as Clock,
			informers: { of: () => ({ get: () => db, addIndex: () => {} }) } as unknown as InformerCache,
			policies: { aboutWorkload: () => [policy] } as unknown as PolicyIndex,
			journal: { workload: (key: string) => seen.get(key) } as unknown as Journal,
		});
	return {
		open,
		/** Time passes. */
		pass(ms: number) {
			wallMs += ms;
			monotonicMs += ms;
		},
		/** The clock is set. */
		set(ms: number) {
			wallMs += ms;
		},
		/** What is told, and in how many minutes to look again. */
		look(looks: Looks) {
			const draft = new Draft();
			const againMs = looks.workload(statefulSets, "shop", "db", draft);
			for (const [key, value] of draft.workloads) seen.set(key, value);
			const told = draft.messages.map(
				({ notification: { event, durationMs = 0 } }) => `${event} ${durationMs / minute}`,
			);
			return { told, againMinutes: againMs && (againMs - wallMs) / minute };
		},
	};
}

test("a clock that is set by a day makes nothing stuck earlier or later", () => {
	for (const byMs of [day, -day]) {
		const { open, pass, set, look } = stuckSet();
		const looks = open();
		expect(look(looks)).toEqual({ told: [], againMinutes: 10 });
		pass(3 * minute);
		set(byMs);
		expect(look(looks)).toEqual({ told: [], againMinutes: 7 });
		pass(7 * minute);
		expect(look(looks)).toEqual({ told: ["Stuck 10"], againMinutes: undefined });
	}
});

test("what was stuck before a restart has been so since", () => {
	const { open, pass, look } = stuckSet();
	look(open());
	pass(4 * minute);
	expect(look(open())).toEqual({ told: [], againMinutes: 6 });
	pass(20 * minute);
	expect(look(open())).toEqual({ told: ["Stuck 24"], againMinutes: undefined });
});
