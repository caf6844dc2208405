import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const seedCount = 200;

test(`clusters keep their promises through every kind of fault, and come to rest: ${seedCount} lives`, async () => {
	for (let seed = 1; seed <= seedCount; seed++) {
		const { violations } = await simulate({ seed, troubleMs: 60_000 });
		expect(violations, `npx tsx test/simulation/run.ts --seed ${seed} --trouble 60`).toEqual([]);
	}
}, 600_000);

test("a life replays from its seed", async () => {
	const [first, second] = [await simulate({ seed: 11 }), await simulate({ seed: 11 })];
	expect(second.hash).toBe(first.hash);
}, 60_000);
