import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { Answers } from "./answers.ts";
import { defaultTimeouts } from "./limits.ts";
import { Presence } from "./presence.ts";

function untaken(limitBytes: number) {
	const clock = new VirtualClock();
	const answers = new Answers(clock, defaultTimeouts, limitBytes);
	const cut: string[] = [];
	return {
		clock,
		cut,
		/** An answer that its client takes when it leaves. */
		add(name: string, byteCount: number) {
			const client = new Presence();
			const isTaken = answers.add(byteCount, client, () => {
				cut.push(name);
				client.leave();
			});
			return { client, isTaken };
		},
	};
}

test("responses that are not read are dropped, larger ones later, and small ones, too", async () => {
	const { clock, cut, add } = untaken(2 ** 30);
	add("small", 100);
	add("large", 64 * 1024 * 100);
	add("taken", 100).client.leave();
	await clock.advance(70_000);
	expect(cut).toEqual(["small"]);
	await clock.advance(100_000);
	expect(cut).toEqual(["small", "large"]);
});

test("at the memory limit, only small responses are accepted, and old ones are dropped", async () => {
	const { clock, cut, add } = untaken(10_000);
	expect(add("one, however large", 20_000).isTaken).toBe(true);
	expect(add("another", 5000).isTaken).toBe(false);
	expect(add("a refusal", 300).isTaken).toBe(true);
	await clock.advance(6000);
	expect(add("another", 5000).isTaken).toBe(true);
	expect(cut).toEqual(["one, however large"]);
	expect(add("a third", 6000).isTaken).toBe(false);
});

test("responses that were read no longer count", () => {
	const { add } = untaken(10_000);
	const { client } = add("one", 9000);
	expect(add("another", 9000).isTaken).toBe(false);
	client.leave();
	expect(add("another", 9000).isTaken).toBe(true);
});
