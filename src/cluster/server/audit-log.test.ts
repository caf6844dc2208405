import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { AuditLog, type AuditLogOptions } from "./audit-log.ts";

const folders: string[] = [];
afterEach(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function fixture(options: Partial<AuditLogOptions> = {}) {
	const folder = mkdtempSync(join(tmpdir(), "cox-audit-"));
	folders.push(folder);
	const file = join(folder, "audit.log");
	const errors: string[] = [];
	const log = new AuditLog({ file, onError: (_what, error) => errors.push(error.message), ...options });
	return { folder, file, log, errors };
}

test("events are lines of JSON in a file that only its owner can read, after what is there already", async () => {
	const { folder, file, errors } = fixture();
	writeFileSync(file, '{"n":0}\n');
	const log = new AuditLog({ file, onError: (_what, error) => errors.push(error.message) });
	for (const n of [1, 2, 3]) log.write({ n });
	await log.close();
	expect(readFileSync(file, "utf8")).toBe('{"n":0}\n{"n":1}\n{"n":2}\n{"n":3}\n');
	expect(statSync(file).mode & 0o777).toBe(0o600);
	expect([readdirSync(folder), errors]).toEqual([["audit.log"], []]);
});

test("a large file is put aside, and old ones are removed by number and by age", async () => {
	const clock = new VirtualClock();
	const { folder, file, log } = fixture({ maxSizeBytes: 100, maxBackups: 2, maxAgeMs: 24 * 3_600_000, clock });
	writeFileSync(join(folder, "audit-notes.log"), "mine");
	const write = async (text: string) => {
		log.write({ text: text.repeat(80) });
		const line = `${JSON.stringify({ text: text.repeat(80) })}\n`;
		await vi.waitFor(() => expect(readFileSync(file, "utf8")).toBe(line), 10_000);
	};
	for (const text of ["a", "b", "c", "d"]) {
		await write(text);
		await clock.advance(1000);
	}
	expect(readdirSync(folder).sort()).toEqual([
		"audit-2026-01-01T00-00-02.000.log",
		"audit-2026-01-01T00-00-03.000.log",
		"audit-notes.log",
		"audit.log",
	]);
	await clock.advance(48 * 3_600_000);
	await write("e");
	expect(readdirSync(folder).sort()).toEqual(["audit-2026-01-03T00-00-04.000.log", "audit-notes.log", "audit.log"]);
	await log.close();
});

test("a log that cannot be written keeps nobody waiting, drops what is too much and says so", async () => {
	const clock = new VirtualClock();
	const { file, log, errors } = fixture({ clock });
	rmSync(file);
	mkdirSync(file);
	for (let count = 0; count < 40; count++) log.write({ text: "x".repeat(1024 * 1024) });
	await vi.waitFor(() => expect(errors).toHaveLength(1), 10_000);
	expect(errors).toEqual([expect.stringContaining("EISDIR")]);
	rmSync(file, { recursive: true });
	const circular: Record<string, unknown> = {};
	circular["self"] = circular;
	log.write(circular);
	await clock.advance(1000);
	await vi.waitFor(() => expect(errors).toHaveLength(2), 10_000);
	expect(errors[1]).toBe("26 events were dropped: they could not be written in time");
	expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(15);
	await log.close();
});

test("a disk that is full for a while leaves whole lines, each once", async (context) => {
	const { folder } = fixture();
	const disk = join(folder, "disk");
	mkdirSync(disk);
	const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=100k,mode=700", "tmpfs", disk]).status === 0;
	if (!isMounted) return context.skip("file systems cannot be mounted here");
	try {
		const clock = new VirtualClock();
		const errors: string[] = [];
		const file = join(disk, "audit.log");
		const log = new AuditLog({ file, clock, onError: (_what, error) => errors.push(error.message) });
		writeFileSync(join(disk, "other"), Buffer.alloc(50_000));
		for (let n = 0; n < 8; n++) log.write({ n, text: "ä".repeat(5000) });
		await vi.waitFor(() => expect(errors).toEqual([expect.stringContaining("ENOSPC")]), 10_000);
		rmSync(join(disk, "other"));
		const lines = () => readFileSync(file, "utf8").split("\n").filter(Boolean);
		await clock.advance(1000);
		await vi.waitFor(() => expect(lines()).toHaveLength(8), 10_000);
		await log.close();
		expect(lines().map((line) => JSON.parse(line).n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
	} finally {
		spawnSync("umount", [disk]);
	}
});

test("a log that cannot be opened is refused at the start", () => {
	const { folder } = fixture();
	chmodSync(folder, 0o700);
	expect(() => fixture({ file: join(folder, "none", "audit.log") })).toThrow("ENOENT");
});
