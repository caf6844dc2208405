import { expect, test } from "vitest";
import { simulate } from "../simulate.ts";

const seedsPerFile = 25;

/**
 * The gate's hundred lives in four files, which run side by side; `npm run simulate -- --seeds N` runs more.
 * @param part which 25 seeds, from 1
 */
export function lives(part: number): void {
	const first = (part - 1) * seedsPerFile + 1;
	const last = part * seedsPerFile;
	test(`clusters keep their promises through every kind of fault, and come to rest: seeds ${first} to ${last}`, async () => {
		for (let seed = first; seed <= last; seed++) {
			const { violations } = await simulate({ seed, troubleMs: 60_000 });
			expect(violations, `npx tsx test/simulation/run.ts --seed ${seed} --trouble 60`).toEqual([]);
		}
	}, 600_000);
}
