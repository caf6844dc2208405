import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replaceFile } from "./replace-file.ts";

test("a file that has the content already is not written, and a failure leaves no draft behind", () => {
	const folder = mkdtempSync(join(tmpdir(), "replace-file-"));
	try {
		const file = join(folder, "settings");
		replaceFile(file, "one");
		const { ino } = statSync(file);
		replaceFile(file, "one");
		expect(statSync(file).ino).toBe(ino);
		replaceFile(file, "two");
		expect(readFileSync(file, "utf8")).toBe("two");
		mkdirSync(join(folder, "taken"));
		expect(() => replaceFile(join(folder, "taken"), "three")).toThrow();
		expect(readdirSync(folder).sort()).toEqual(["settings", "taken"]);
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test("a process whose log is on a full disk goes on", () => {
	const full = openSync("/dev/full", "w");
	const program = `
		const { logError } = await import("./src/linux/process-log.ts");
		logError("part", new Error("first"));
		setImmediate(() => { logError("part", "second"); setImmediate(() => process.exit(7)); });`;
	const { status } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
		stdio: ["ignore", "ignore", full],
	});
	closeSync(full);
	expect(status).toBe(7);
});
