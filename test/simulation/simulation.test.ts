import { expect, test } from "vitest";
import { loadSimulation } from "./bundle.ts";

const { allControllers, simulate } = await loadSimulation();
// Nodes that lose their power are left out until their agents bring pods back that had no sandbox left.
const options = { controllers: allControllers, troubleMs: 120_000, without: ["loseNode"] };

test("clusters keep their promises through every kind of fault, and come to rest", async () => {
	for (let seed = 1; seed <= 3; seed++) {
		const { violations } = await simulate({ ...options, seed });
		expect(violations, `npx tsx test/simulation/run.ts --seed ${seed} --trouble 120 --without loseNode`).toEqual([]);
	}
}, 120_000);

test("a life replays from its seed", async () => {
	const [first, second] = [await simulate({ ...options, seed: 11 }), await simulate({ ...options, seed: 11 })];
	expect(second.hash).toBe(first.hash);
}, 120_000);
