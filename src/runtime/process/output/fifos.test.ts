/** Pipes are created ahead, and those that an agent has left are used by the next one, which may have the same PID. */
import { lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { FifoStore } from "./fifos.ts";

it("makes more pipes after one that has ended left some, whatever its process number was", async () => {
	const directory = mkdtempSync(`${tmpdir()}/cox-fifos-`);
	try {
		let sequence = 0;
		for (const count of [62, 3, 60, 3, 64]) {
			const paths = Array.from({ length: count }, () => `${directory}/pipe-${++sequence}`);
			await new FifoStore(`${directory}/made`).take(paths);
			for (const path of paths) expect(lstatSync(path).isFIFO()).toBe(true);
		}
	} finally {
		rmSync(directory, { recursive: true });
	}
});

it("makes pipes again after a batch failed", async () => {
	const directory = mkdtempSync(`${tmpdir()}/cox-fifos-`);
	try {
		const fifos = new FifoStore(`${directory}/made`);
		rmSync(`${directory}/made`, { recursive: true });
		await expect(fifos.take([`${directory}/pipe`])).rejects.toThrow(/^mkfifo: cannot create fifo .{1,200}$/);
		mkdirSync(`${directory}/made`);
		await fifos.take([`${directory}/pipe`]);
		expect(lstatSync(`${directory}/pipe`).isFIFO()).toBe(true);
	} finally {
		rmSync(directory, { recursive: true });
	}
});
