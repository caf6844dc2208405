import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";
import { openSocket } from "./socket.ts";
import { fuzzUpgrades } from "./upgrades.ts";

/** Far above what the requests of one round leave behind. */
const mostHeapGrowthBytes = 300 * 2 ** 20;

test("whatever 2,000 requests say, each is answered, with a Status where it is refused", async () => {
	const report = await fuzz({ requests: 2000, seed: 1 });
	expect(report.problems).toEqual([]);
	expect(report.storedCount).toBeGreaterThan(50);
	expect(report.heapGrowthBytes).toBeLessThan(mostHeapGrowthBytes);
});

test("the same holds through a socket", async () => {
	const socket = await openSocket();
	try {
		expect((await fuzz({ requests: 150, seed: 2, send: socket.send })).problems).toEqual([]);
	} finally {
		await socket.close();
	}
});

test("connections become something else, or are refused, whatever frames they bring", async () => {
	const { problems, answers } = await fuzzUpgrades({ count: 60, seed: 1 });
	expect(problems).toEqual([]);
	expect(answers.get(101)).toBeGreaterThan(20);
});
