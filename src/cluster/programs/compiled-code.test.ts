import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CompiledCode } from "./compiled-code.ts";

function folder(): string {
	const path = mkdtempSync(join(tmpdir(), "cox-code-"));
	onTestFinished(() => rmSync(path, { recursive: true }));
	return path;
}

const source = Buffer.from("one()");
const code = Buffer.from("what V8 makes of it");

test("code is kept for its source, which V8 compares by length only", () => {
	const path = folder();
	expect(new CompiledCode(path, "server", source).read()).toBeUndefined();
	new CompiledCode(path, "server", source).keep(code);
	expect(new CompiledCode(path, "server", source).read()).toEqual(code);
	expect(new CompiledCode(path, "server", Buffer.from("two()")).read()).toBeUndefined();
	expect(new CompiledCode(path, "agent", source).read()).toBeUndefined();
});

test("damaged code is not used: V8 would crash", () => {
	const path = folder();
	const kept = new CompiledCode(path, "server", source);
	kept.keep(code);
	const file = join(path, readdirSync(path)[0] ?? "");
	const whole = readFileSync(file);
	for (let at = 0; at < whole.length; at++) {
		const damaged = Buffer.from(whole);
		damaged[at] = (damaged[at] ?? 0) ^ 0x10;
		writeFileSync(file, damaged);
		expect(kept.read(), `byte ${at}`).toBeUndefined();
	}
	writeFileSync(file, whole);
	for (let length = whole.length - 1; length >= 0; length--) {
		truncateSync(file, length);
		expect(kept.read(), `${length} bytes`).toBeUndefined();
	}
	kept.keep(code);
	expect(kept.read()).toEqual(code);
});

test("code that others could have written is not used", () => {
	const path = folder();
	const kept = new CompiledCode(path, "server", source);
	kept.keep(code);
	chmodSync(join(path, readdirSync(path)[0] ?? ""), 0o620);
	expect(kept.read()).toBeUndefined();
});

test("a folder that cannot be written is left as it is", () => {
	const path = folder();
	const file = join(path, "file");
	writeFileSync(file, "");
	const kept = new CompiledCode(join(file, "folder"), "server", source);
	kept.keep(code);
	expect(kept.read()).toBeUndefined();
	expect(readdirSync(path)).toEqual(["file"]);
});

test("only the last few of a program are kept, and nothing else is touched", () => {
	const path = folder();
	writeFileSync(join(path, "notes"), "");
	new CompiledCode(path, "agent", source).keep(code);
	for (let version = 0; version < 8; version++)
		new CompiledCode(path, "server", Buffer.from(`version ${version}`)).keep(code);
	const names = readdirSync(path).map((name) => name.split("-")[0]);
	expect(names.sort()).toEqual(["agent", "notes", "server", "server", "server", "server"]);
	expect(new CompiledCode(path, "server", Buffer.from("version 7")).read()).toEqual(code);
});
