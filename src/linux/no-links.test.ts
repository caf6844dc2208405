import { execFileSync, spawn } from "node:child_process";
import {
	closeSync,
	constants,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdDirectory, inParent, openRegular, readRegular, removeTree, writeRegular } from "./no-links.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(`${tmpdir()}/cox-no-links-`);
	mkdirSync(`${folder}/volume/sub`, { recursive: true });
	mkdirSync(`${folder}/outside/sub`, { recursive: true });
	writeFileSync(`${folder}/outside/secret`, "secret");
	writeFileSync(`${folder}/outside/sub/file`, "kept");
	writeFileSync(`${folder}/volume/sub/file`, "text");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a path without links", () => {
	it("leads to regular files", async () => {
		expect((await readRegular(`${folder}/volume/sub/file`, 3)).toString()).toBe("tex");
		await writeRegular(`${folder}/volume/sub/file`, "new", 0o640);
		expect(readFileSync(`${folder}/volume/sub/file`, "utf8")).toBe("new");
		await expect(readRegular(`${folder}/volume/none`, 3)).rejects.toThrow("ENOENT");
	});

	it("is refused when it ends in a link or leads through one, for reading and for writing", async () => {
		symlinkSync(`${folder}/outside/secret`, `${folder}/volume/link`);
		symlinkSync(`${folder}/outside`, `${folder}/volume/folder`);
		await expect(readRegular(`${folder}/volume/link`, 10)).rejects.toThrow("ELOOP");
		await expect(readRegular(`${folder}/volume/folder/secret`, 10)).rejects.toThrow("ENOTDIR");
		await expect(writeRegular(`${folder}/volume/link`, "x", 0o600)).rejects.toThrow("ELOOP");
		await expect(writeRegular(`${folder}/volume/folder/new`, "x", 0o600)).rejects.toThrow("ENOTDIR");
		expect(() => holdDirectory(`${folder}/volume/folder/new`, 0o755)).toThrow("ENOTDIR");
		await expect(removeTree(`${folder}/volume/folder/secret`)).rejects.toThrow("ENOTDIR");
		expect(readFileSync(`${folder}/outside/secret`, "utf8")).toBe("secret");
		expect(existsSync(`${folder}/outside/new`)).toBe(false);
	});

	it("is refused when it leads to a pipe, a directory or upwards", async () => {
		execFileSync("mkfifo", [`${folder}/volume/pipe`]);
		await expect(openRegular(`${folder}/volume/pipe`)).rejects.toThrow("no regular file");
		await expect(openRegular(`${folder}/volume/sub`)).rejects.toThrow("no regular file");
		await expect(openRegular(`${folder}/volume/../outside/secret`)).rejects.toThrow('".." is no name');
		expect(() => holdDirectory("volume")).toThrow("no absolute path");
	});

	it("stays with the directory that it led to, whatever comes in its place", async () => {
		await inParent(`${folder}/volume/sub/made`, async (parent, name) => {
			execFileSync("mv", [`${folder}/volume/sub`, `${folder}/volume/moved`]);
			symlinkSync(`${folder}/outside`, `${folder}/volume/sub`);
			closeSync(parent.openFileSync(name, constants.O_CREAT | constants.O_WRONLY, 0o600));
		});
		expect(existsSync(`${folder}/volume/moved/made`)).toBe(true);
		expect(existsSync(`${folder}/outside/made`)).toBe(false);
	});
});

describe("removing a tree", () => {
	it("takes links away and leaves what they lead to", async () => {
		symlinkSync(`${folder}/outside`, `${folder}/volume/sub/folder`);
		symlinkSync(`${folder}/outside/secret`, `${folder}/volume/sub/link`);
		await removeTree(`${folder}/volume`);
		expect(existsSync(`${folder}/volume`)).toBe(false);
		expect(readFileSync(`${folder}/outside/sub/file`, "utf8")).toBe("kept");
		await removeTree(`${folder}/volume`);
	});

	it("does not follow a directory that becomes a link during the walk", async () => {
		const swap = `
my ($folder) = @ARGV;
while (1) { syscall(316, -100, "$folder/volume/x", -100, "$folder/volume/y", 2); }`;
		symlinkSync(`${folder}/outside`, `${folder}/volume/y`);
		for (let round = 0; round < 20; round++) {
			mkdirSync(`${folder}/volume/x/sub`, { recursive: true });
			writeFileSync(`${folder}/volume/x/sub/file`, "");
			const attacker = spawn("perl", ["-e", swap, folder]);
			const ended = new Promise((resolve) => attacker.once("close", resolve));
			// It may find a link instead of a directory, which is an error.
			await removeTree(`${folder}/volume/x`).catch(() => {});
			attacker.kill("SIGKILL");
			await ended;
			expect(readFileSync(`${folder}/outside/sub/file`, "utf8")).toBe("kept");
			rmSync(`${folder}/volume/x`, { recursive: true, force: true });
			rmSync(`${folder}/volume/y`, { recursive: true, force: true });
			symlinkSync(`${folder}/outside`, `${folder}/volume/y`);
		}
	});

	it("manages trees deeper than any path is long, with few descriptors", async () => {
		const deep = 'chdir $ARGV[0]; for (1..120) { mkdir "d" x 100; chdir "d" x 100 or die; open F, ">file" }';
		execFileSync("perl", ["-e", deep, `${folder}/volume`]);
		await removeTree(`${folder}/volume`);
		expect(existsSync(`${folder}/volume`)).toBe(false);
	});
});
