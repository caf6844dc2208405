import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

test("a life replays from its seed", async () => {
	const [first, second] = [await simulate({ seed: 11 }), await simulate({ seed: 11 })];
	expect(second.hash).toBe(first.hash);
}, 60_000);
