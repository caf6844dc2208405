import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const options = { seed: 11, troubleMs: 60_000 };

test("a life replays from its seed", async () => {
	const [first, second] = [await simulate(options), await simulate(options)];
	expect(second.hash).toBe(first.hash);
}, 60_000);
