import { expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { seededRandom } from "./time/clock.ts";

test("takes out the first there is, also after some were left out", () => {
	const random = seededRandom(1);
	const heap = new Heap<number>((left, right) => left < right);
	const numbers = Array.from({ length: 500 }, () => Math.floor(random() * 100));
	for (const number of numbers) heap.push(number);
	const isKept = (number: number) => number % 3 !== 0;
	heap.keep(isKept);
	const sorted = numbers.filter(isKept).sort((a, b) => a - b);
	expect(heap.first).toBe(sorted[0]);
	expect(Array.from(sorted, () => heap.pop())).toEqual(sorted);
	expect([heap.size, heap.first, heap.pop()]).toEqual([0, undefined, undefined]);
});
