import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ownByGroup } from "./group-owner.ts";

const group = 4321;

describe.skipIf(process.getuid?.() !== 0)("the group of a volume (as root)", () => {
	let root: string;
	const at = (path: string) => join(root, path);
	const make = (path: string, mode: number) => {
		writeFileSync(at(path), "");
		chmodSync(at(path), mode);
	};
	const found = (path: string) => {
		const { gid, mode } = lstatSync(at(path));
		return { gid, mode: mode & 0o7777 };
	};
	beforeEach(() => {
		root = mkdtempSync(join(tmpdir(), "group-owner-"));
		mkdirSync(at("volume/inner"), { recursive: true });
		chmodSync(at("volume"), 0o1700);
		chmodSync(at("volume/inner"), 0o755);
	});
	afterEach(() => rmSync(root, { recursive: true }));

	test("may read and write what is there; other rights stay", async () => {
		make("outside", 0o600);
		make("volume/secret", 0o600);
		make("volume/inner/program", 0o755);
		symlinkSync("../outside", at("volume/link"));
		await ownByGroup(root, "volume", group, "always");
		expect(found("volume")).toEqual({ gid: group, mode: 0o3770 });
		expect(found("volume/inner")).toEqual({ gid: group, mode: 0o2775 });
		expect(found("volume/secret")).toEqual({ gid: group, mode: 0o660 });
		expect(found("volume/inner/program")).toEqual({ gid: group, mode: 0o775 });
		expect(found("volume/link").gid).toBe(group);
		expect(found("outside")).toEqual({ gid: 0, mode: 0o600 });
	});

	test("is given everything if the directory differs, and nothing if it is as it should be", async () => {
		make("volume/old", 0o600);
		await ownByGroup(root, "volume", group, "mismatch");
		expect(found("volume/old").gid).toBe(group);
		make("volume/new", 0o600);
		await ownByGroup(root, "volume", group, "mismatch");
		// The group of the directory it was made in.
		expect(found("volume/new")).toEqual({ gid: group, mode: 0o600 });
		await ownByGroup(root, "volume", group, "always");
		expect(found("volume/new")).toEqual({ gid: group, mode: 0o660 });
	});
});
