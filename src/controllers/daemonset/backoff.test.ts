import { expect, test } from "vitest";
import { timestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { InformerCache } from "../runtime/controller.ts";
import { forget, retryTimes } from "./backoff.ts";

const startMs = Date.UTC(2026, 0, 1);
// Failures are stored per informer cache, of which nothing else is used.
const newInformerCache = () => ({}) as InformerCache;

function failed(uid: string, atMs: number, nodeName = "node-1"): Pod {
	const finished = { exitCode: 1, finishedAt: timestamp(atMs) };
	const containerStatus = {
		name: "main",
		image: "",
		imageID: "",
		ready: false,
		restartCount: 0,
		state: { terminated: finished },
	};
	return {
		apiVersion: "v1",
		kind: "Pod",
		metadata: { name: uid, uid, resourceVersion: "1", creationTimestamp: timestamp(atMs - 1000) },
		spec: { nodeName, containers: [] },
		status: { phase: "Failed", containerStatuses: [containerStatus] },
	};
}

test("a node's first failed pod may be replaced at once, the next after a second, then two, then four", () => {
	const informers = newInformerCache();
	let atMs = startMs;
	const waits: number[] = [];
	for (const uid of ["a", "b", "c", "d"]) {
		const retryAtMs = retryTimes(informers, "default/web", [failed(uid, atMs)]).get(uid) ?? 0;
		waits.push(Math.max(0, retryAtMs - atMs));
		atMs = Math.max(atMs, retryAtMs);
	}
	expect(waits).toEqual([0, 1000, 2000, 4000]);
});

test("asking again about the same pod gives the same time", () => {
	const informers = newInformerCache();
	retryTimes(informers, "default/web", [failed("a", startMs)]);
	const pod = failed("b", startMs + 100);
	expect(retryTimes(informers, "default/web", [pod])).toEqual(retryTimes(informers, "default/web", [pod]));
});

test("the wait never exceeds fifteen minutes", () => {
	const informers = newInformerCache();
	let retryAtMs = startMs;
	let waitMs = 0;
	for (let index = 0; index < 30; index++) {
		const nextMs = retryTimes(informers, "default/web", [failed(`${index}`, retryAtMs)]).get(`${index}`) ?? 0;
		waitMs = nextMs - retryAtMs;
		retryAtMs = Math.max(retryAtMs, nextMs);
	}
	expect(waitMs).toBe(15 * 60_000);
});

test("nodes and sets are counted apart, and a failure after half an hour's peace is a first one", () => {
	const informers = newInformerCache();
	retryTimes(informers, "default/web", [failed("a", startMs)]);
	expect(retryTimes(informers, "default/web", [failed("b", startMs, "node-2")]).get("b")).toBe(0);
	expect(retryTimes(informers, "default/other", [failed("c", startMs)]).get("c")).toBe(0);
	expect(retryTimes(informers, "default/web", [failed("d", startMs + 31 * 60_000)]).get("d")).toBe(0);
});

test("a set that is gone is forgotten", () => {
	const informers = newInformerCache();
	retryTimes(informers, "default/web", [failed("a", startMs)]);
	forget(informers, "default/web");
	expect(retryTimes(informers, "default/web", [failed("b", startMs)]).get("b")).toBe(0);
});
