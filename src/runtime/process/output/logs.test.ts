import { execFileSync } from "node:child_process";
import {
	appendFileSync,
	closeSync,
	constants,
	mkdtempSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../core/time/clock.ts";
import { criLines } from "./cri-format.ts";
import { Journal } from "./journal.ts";
import { LogPump } from "./logs.ts";

const clock = systemClock();
const endMark = "\u0001the end\u0001";

describe("log of a container", () => {
	let directory: string;
	let bell: number;
	beforeEach(() => {
		directory = mkdtempSync(`${tmpdir()}/cox-logs-`);
		execFileSync("mkfifo", [`${directory}/out.bell`]);
		bell = openSync(`${directory}/out.bell`, constants.O_RDWR | constants.O_NONBLOCK);
	});
	afterEach(() => {
		closeSync(bell);
		rmSync(directory, { recursive: true });
	});

	const log = () => readFileSync(`${directory}/log`, "utf8");
	const payload = () => log().replaceAll(/^\S+ stdout F /gm, "");
	const pump = (options: { orphaned?: boolean } = {}) =>
		new LogPump({
			...options,
			paths: [`${directory}/out`],
			journalPath: `${directory}/journal`,
			logPath: `${directory}/log`,
			endMark,
			clock,
		});
	/** Like the relay. */
	const relay = (text: string | Buffer) => {
		appendFileSync(`${directory}/out.raw`, text);
		writeSync(bell, "x");
	};
	const until = async (check: () => boolean) => {
		while (!check()) await clock.sleep(1);
	};

	it("is the same whatever part of a chunk had arrived when the agent was killed", async () => {
		const data = Buffer.from("two\nthree\n");
		const first = criLines("stdout", Buffer.from("one\n"), 1000);
		const second = criLines("stdout", data, 2000);
		for (let arrived = 0; arrived <= second.length; arrived++) {
			for (const file of ["log", "out.raw", "journal"]) rmSync(`${directory}/${file}`, { force: true });
			appendFileSync(`${directory}/out.raw`, `one\ntwo\nthree\nfour\n${endMark}\n`);
			appendFileSync(`${directory}/log`, Buffer.concat([first, second.subarray(0, arrived)]));
			const journal = new Journal(`${directory}/journal`);
			const pending = { stream: 0, length: data.length, timeMs: 2000 };
			const inode = statSync(`${directory}/log`, { bigint: true }).ino;
			journal.write({ positions: [4, 0], log: { inode, size: first.length }, pending });
			journal.close();
			await pump().ended;
			expect(log().startsWith(`${first}${second}`)).toBe(true);
			expect(payload()).toBe("one\ntwo\nthree\nfour\n");
		}
	});

	it("goes on after a rotation that the agent did not outlive", async () => {
		relay("one\n");
		const before = pump();
		await until(() => payload() === "one\n");
		before.close();
		await before.ended;
		renameSync(`${directory}/log`, `${directory}/log.1`);
		relay(`two\n${endMark}\n`);
		await pump().ended;
		expect(payload()).toBe("two\n");
	});

	it("holds back what might be the beginning of the end, and only that", async () => {
		const running = pump();
		relay("one\n\u0001the");
		await until(() => payload() === "one\n");
		relay("re\n");
		await until(() => payload() === "one\n\u0001there\n");
		relay(endMark);
		relay("\n");
		await running.ended;
		expect(payload()).toBe("one\n\u0001there\n");
	});

	it("writes a line that comes in pieces as one, and those who listen have each piece at once", async () => {
		const running = pump();
		const heard: string[] = [];
		running.tap((_stream, chunk) => heard.push(chunk.toString()));
		relay("one\ntw");
		await until(() => heard.join("") === "one\ntw");
		relay("o\nname: ");
		await until(() => heard.join("") === "one\ntwo\nname: ");
		expect(payload()).toBe("one\ntwo\n");
		running.close();
		await running.ended;
		relay(`nobody${endMark}\n`);
		const next = pump();
		await next.ended;
		expect(payload()).toMatch(/^one\ntwo\n\S+ stdout P name: nobody\n$/);
	});

	it("cuts a line where containerd does, in however many pieces it comes", async () => {
		const running = pump();
		let heard = 0;
		running.tap((_stream, chunk) => {
			heard += chunk.length;
		});
		const longest = "x".repeat(16 * 1024);
		for (let written = 0; written < 2 * longest.length; written += 4096) {
			relay(longest.slice(0, 4096));
			await until(() => heard > written);
		}
		relay(`\n${longest}y`);
		relay(`z\n${endMark}\n`);
		await running.ended;
		const tags = log().matchAll(/^\S+ stdout ([FP]) (.*)$/gm);
		const parts = [...tags].map(([, tag, text = ""]) => `${tag} ${text.length}`);
		expect(parts).toEqual(["P 16384", "F 16384", "P 16384", "F 2"]);
	});

	it("ends when the relay is gone, with all that it had written", async () => {
		const running = pump();
		appendFileSync(`${directory}/out.raw`, "last\n");
		closeSync(bell);
		await running.ended;
		bell = openSync(`${directory}/out.bell`, constants.O_RDWR | constants.O_NONBLOCK);
		expect(payload()).toBe("last\n");
	});

	it("ends also when the disk was too full for the end mark", async () => {
		const running = pump();
		writeSync(bell, `${endMark}\n`);
		await running.ended;
	});

	it("gives the disk back what is in the log", async () => {
		const running = pump();
		const line = Buffer.from(`${"x".repeat(1023)}\n`);
		const chunk = Buffer.concat(Array.from({ length: 1024 }, () => line));
		for (let written = 0; written < 12; written++) relay(chunk);
		// Checks again with each piece.
		await until(() => {
			relay("more\n");
			return statSync(`${directory}/out.raw`).blocks * 512 < 2 ** 20;
		});
		relay(`${endMark}\n`);
		await running.ended;
		expect(payload().replaceAll("more\n", "").length).toBe(12 * 2 ** 20);
	});

	it("ends when shim and relay died while no agent was there, with all that had been written", async () => {
		relay("last words\n");
		closeSync(bell);
		const orphan = pump({ orphaned: true });
		await orphan.ended;
		expect(payload()).toBe("last words\n");
		bell = openSync(`${directory}/out.bell`, constants.O_RDWR | constants.O_NONBLOCK);
	});

	it("continues after the end of its shim as long as its relay runs", async () => {
		const orphan = pump({ orphaned: true });
		relay("not yet the last words\n");
		await until(() => payload() === "not yet the last words\n");
		orphan.close();
		await orphan.ended;
	});
});
