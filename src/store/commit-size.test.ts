import { expect, test } from "vitest";
import { deleteCost, inCommits, largestCommit, putCost } from "./commit-size.ts";

test("what is too much for one commit is shared out, in order; what is too large alone goes alone", () => {
	const keys = Array.from({ length: 300 }, (_, index) => String(index));
	const groups = [...inCommits(keys, deleteCost)];
	expect(groups.map(({ length }) => length)).toEqual([120, 120, 60]);
	expect(groups.flat()).toEqual(keys);
	expect([...inCommits(keys, deleteCost, { operations: 20, bytes: 0 })].map(({ length }) => length)).toEqual([
		100, 100, 100,
	]);
	const put = (key: string, share: number) => ({ key, value: new Uint8Array(largestCommit.bytes * share) });
	const puts = [put("a", 0.4), put("b", 0.4), put("c", 0.4), put("d", 1.5), put("e", 0.1)];
	expect([...inCommits(puts, putCost)].map((group) => group.map(({ key }) => key).join(""))).toEqual([
		"ab",
		"c",
		"d",
		"e",
	]);
	expect([...inCommits([], deleteCost)]).toEqual([]);
});
