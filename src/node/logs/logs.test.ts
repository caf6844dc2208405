import { appendFile, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogOptions } from "../../core/text/log-lines.ts";
import { readLogFile } from "./log-file.ts";
import { rotate } from "./log-rotation.ts";

let folder: string;
let path: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "cox-logs-"));
	path = join(folder, "0.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const line = (second: number, text: string, stream = "stdout", tag = "F") =>
	`2026-01-01T00:00:${String(second).padStart(2, "0")}.000000000Z ${stream} ${tag} ${text}\n`;
const ended = { running: () => false, onChange: () => () => {} };

async function read(options: Partial<LogOptions>): Promise<string> {
	const parts: Buffer[] = [];
	const all = { timestamps: false, follow: false, ...options };
	for await (const part of readLogFile(path, all, ended, new AbortController().signal)) parts.push(part);
	return Buffer.concat(parts).toString();
}

/** A container as a reader of its log sees it. */
class RunningContainer {
	#running = true;
	#changed = () => {};

	running(): boolean {
		return this.#running;
	}

	onChange(listener: () => void): () => void {
		this.#changed = listener;
		return () => {};
	}

	end(): void {
		this.#running = false;
		this.#changed();
	}
}

describe("container logs", () => {
	test("give the last lines, however long the log is", async () => {
		await writeFile(path, Array.from({ length: 20_000 }, (_, index) => line(index % 60, `line ${index}`)).join(""));
		expect(await read({ tailLines: 2 })).toBe("line 19998\nline 19999\n");
		expect((await read({ tailLines: 5000 })).split("\n")).toHaveLength(5001);
		expect(await read({ tailLines: 0 })).toBe("");
	});
	test("are no more lines than asked for while others are written", async () => {
		await writeFile(path, Array.from({ length: 20_000 }, (_, index) => line(1, `line ${index}`)).join(""));
		let text = "";
		const options = { timestamps: false, follow: false, tailLines: 10_000 };
		for await (const part of readLogFile(path, options, ended, new AbortController().signal)) {
			text += part.toString();
			await appendFile(path, line(2, "late"));
		}
		expect(text).toBe(Array.from({ length: 10_000 }, (_, index) => `line ${index + 10_000}\n`).join(""));
	});
	test("join lines that were written in parts, and give the time of the first", async () => {
		await writeFile(path, line(0, "one ", "stdout", "P") + line(1, "line") + line(2, "two"));
		expect(await read({})).toBe("one line\ntwo\n");
		expect(await read({ timestamps: true })).toBe(
			"2026-01-01T00:00:00.000000000Z one line\n2026-01-01T00:00:02.000000000Z two\n",
		);
	});
	test("filter by time and stream, and stop after as many bytes as asked", async () => {
		await writeFile(path, line(1, "a") + line(2, "b", "stderr") + line(3, "c"));
		expect(await read({ sinceMs: Date.UTC(2026, 0, 1, 0, 0, 2) })).toBe("b\nc\n");
		expect(await read({ stream: "stderr" })).toBe("b\n");
		expect(await read({ limitBytes: 3 })).toBe("a\nb");
		expect(await read({ timestamps: true, tailLines: 1 })).toBe("2026-01-01T00:00:03.000000000Z c\n");
	});
	test("go on in the new file after a rotation, and end with the container", async () => {
		await writeFile(path, line(1, "before"));
		const container = new RunningContainer();
		const seen: string[] = [];
		const options = { timestamps: false, follow: true };
		for await (const part of readLogFile(path, options, container, new AbortController().signal)) {
			seen.push(part.toString());
			if (seen.length === 1) {
				await rename(path, `${path}.old`);
				await writeFile(path, line(2, "after"));
			} else {
				await appendFile(path, line(3, "last"));
				container.end();
				if (seen.length === 3) break;
			}
		}
		expect(seen.join("")).toMatch(/^before\nafter\n(last\n)+$/);
	});
	test("are rotated when full, and so many are kept", async () => {
		let reopened = 0;
		const runtime = { reopenLog: async () => void reopened++ };
		for (let round = 0; round < 5; round++) {
			await writeFile(path, "x".repeat(100));
			await rotate(runtime, { now: () => Date.UTC(2026, 0, 1, 0, 0, round) }, "c", path, { bytes: 100, files: 3 });
		}
		expect(reopened).toBe(5);
		expect((await readdir(folder)).sort()).toEqual(["0.log.20260101-000003", "0.log.20260101-000004"]);
	});
});

describe("a pod that reaches the logs", () => {
	test("gets no other file shown for a log, nor through a directory's link", async () => {
		await writeFile(join(folder, "shadow"), line(1, "root:secret"));
		await symlink(join(folder, "shadow"), path);
		expect(await read({})).toBe("");
		expect(await read({ tailLines: 10 })).toBe("");
		await symlink(folder, join(folder, "link"));
		path = join(folder, "link/shadow");
		expect(await read({})).toBe("");
		path = join(folder, "shadow");
		expect(await read({})).toBe("root:secret\n");
	});

	test("gets no other file shown by putting it in the place of a log that is followed", async () => {
		await writeFile(join(folder, "shadow"), line(1, "root:secret that is longer than the log"));
		await writeFile(path, line(1, "a"));
		const container = new RunningContainer();
		const seen: string[] = [];
		const options = { timestamps: false, follow: true };
		for await (const part of readLogFile(path, options, container, new AbortController().signal)) {
			seen.push(part.toString());
			await rm(path);
			await symlink(join(folder, "shadow"), path);
			container.end();
		}
		expect(seen).toEqual(["a\n"]);
	});

	test("gets nothing renamed or removed elsewhere when logs are rotated", async () => {
		await mkdir(join(folder, "elsewhere"));
		for (const name of ["0.log", "0.log.1", "0.log.2", "0.log.3"])
			await writeFile(join(folder, "elsewhere", name), "x".repeat(100));
		let reopened = 0;
		const runtime = { reopenLog: async () => void reopened++ };
		const limits = { bytes: 50, files: 2 };
		await symlink(join(folder, "elsewhere"), join(folder, "link"));
		await rotate(runtime, { now: () => 0 }, "c", join(folder, "link/0.log"), limits);
		await symlink(join(folder, "elsewhere/0.log"), path);
		await rotate(runtime, { now: () => 0 }, "c", path, limits);
		expect(reopened).toBe(0);
		expect(await readdir(join(folder, "elsewhere"))).toHaveLength(4);
	});
});
