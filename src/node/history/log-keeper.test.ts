import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EndedLog } from "../../core/ended-log.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import { endOfLogFile, endOfText, packed } from "./log-end.ts";
import { LogKeeper } from "./log-keeper.ts";
import { createSpool } from "./spool.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "cox-logs-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const owner = { apiVersion: "batch/v1", kind: "Job", name: "job", uid: "job-uid", controller: true };
const pod = (uid: string, ownerReferences = [owner]) =>
	({ metadata: { name: `pod-${uid}`, namespace: "default", uid, ownerReferences } }) as unknown as Pod;
const container = (attempt = 0) =>
	({
		id: `c${attempt}`,
		config: { name: "main", attempt },
		state: "exited",
		exitCode: 3,
		reason: "Error",
	}) as unknown as Container;
const line = (text: string) => `2026-01-01T00:00:00.000000Z stdout F ${text}\n`;

test("a log is read from its end, over the files that it was rotated into, whole lines only", async () => {
	const path = join(folder, "0.log");
	writeFileSync(path, line("old"));
	renameSync(path, `${path}.20260101-000000`);
	appendFileSync(path, line("new"));
	expect(Buffer.from((await endOfLogFile(path)).data).toString()).toBe(line("old") + line("new"));
	const large = line("x".repeat(99)).repeat(60_000);
	writeFileSync(`${path}.20260101-000000`, large);
	const end = await endOfLogFile(path);
	expect(end.bytes + end.omittedBytes).toBe(large.length + line("new").length);
	expect(end.bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
	expect(Buffer.from(end.data).toString().startsWith("2026-")).toBe(true);
	expect(Buffer.from(end.data).toString().endsWith(line("new"))).toBe(true);
	expect(await endOfLogFile(join(folder, "none.log"))).toMatchObject({ bytes: 0, omittedBytes: 0 });
});

test("what is short stays as it is, and what is too large even when compressed is cut at its beginning", async () => {
	expect(Buffer.from((await packed(endOfText(line("a")))).data).toString()).toBe(line("a"));
	let noise = "";
	for (let index = 0; index < 30_000; index++)
		noise += line(
			Buffer.from(String(Math.sin(index) * 1e17))
				.toString("base64")
				.repeat(3),
		);
	const log = await packed(endOfText(noise));
	expect(log.data.length).toBeLessThanOrEqual(1024 * 1024);
	expect(gunzipSync(log.data).length).toBe(log.bytes);
	expect(noise.endsWith(gunzipSync(log.data).toString())).toBe(true);
});

test("logs are brought together, again until someone takes them, and of Jobs' pods only", async () => {
	const clock = new VirtualClock();
	const brought: string[][] = [];
	let answer: (count: number) => boolean[] = () => {
		throw new Error("nobody is there");
	};
	const deliver = async (logs: readonly EndedLog[]) => {
		brought.push(logs.map(({ podUid }) => podUid));
		return answer(logs.length);
	};
	const keeper = new LogKeeper({ clock, deliver });
	keeper.ended(pod("a"), container(), async () => endOfText(line("a")));
	keeper.ended(pod("b"), container(), async () => endOfText(line("b")));
	keeper.ended(pod("bare", []), container(), async () => endOfText(line("c")));
	await clock.advance(5000);
	expect(brought.length).toBeGreaterThan(1);
	expect(brought[0]).toEqual(["a", "b"]);
	// One log is not accepted yet: it is sent again, on its own.
	answer = (count) => (count === 2 ? [false, true] : [true]);
	await clock.advance(120_000);
	expect(brought.slice(-2)).toEqual([["a", "b"], ["a"]]);
	const before = brought.length;
	await clock.advance(120_000);
	expect(brought.length).toBe(before);
	await keeper.stop();
});

test("a pod's files may go when its logs wait in the agent's folder, and the next agent brings them", async () => {
	const clock = new VirtualClock();
	const spool = createSpool(join(folder, "spool"));
	const away = async () => {
		throw new Error("nobody is there");
	};
	const first = new LogKeeper({ clock, deliver: away, spool });
	const path = join(folder, "0.log");
	writeFileSync(path, line("kept"));
	first.ended(pod("a"), container(2), () => endOfLogFile(path));
	await first.settle("a");
	rmSync(path);
	await first.stop();
	expect(readdirSync(join(folder, "spool"))).toHaveLength(1);

	const brought: EndedLog[] = [];
	const deliver = async (logs: readonly EndedLog[]) => {
		brought.push(...logs);
		return logs.map(() => true);
	};
	const second = new LogKeeper({ clock, deliver, spool });
	// Reading files takes real time.
	while (brought.length === 0) {
		await new Promise((resolve) => setImmediate(resolve));
		await clock.advance(100);
	}
	expect(brought).toMatchObject([{ podUid: "a", jobUid: "job-uid", container: "main", attempt: 2, exitCode: 3 }]);
	expect(Buffer.from(brought[0]?.data ?? []).toString()).toBe(line("kept"));
	await second.stop();
	while (readdirSync(join(folder, "spool")).length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("what ends later does not wait for the reply to what was brought before, nor does the end of the agent", async () => {
	const clock = new VirtualClock();
	const brought: string[][] = [];
	const replies: (() => void)[] = [];
	const deliver = (logs: readonly EndedLog[]) => {
		brought.push(logs.map(({ podUid }) => podUid));
		return new Promise<boolean[]>((resolve) => replies.push(() => resolve(logs.map(() => true))));
	};
	const keeper = new LogKeeper({ clock, deliver });
	for (const uid of ["a", "b", "c", "d", "e"]) {
		keeper.ended(pod(uid), container(), async () => endOfText(line(uid)));
		await clock.advance(1000);
	}
	// A few at a time.
	expect(brought).toEqual([["a"], ["b"], ["c"], ["d"]]);
	replies[1]?.();
	await clock.advance(1000);
	expect(brought.slice(4)).toEqual([["e"]]);
	await keeper.stop();
});
