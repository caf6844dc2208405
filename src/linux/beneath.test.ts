import {
	closeSync,
	fstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exchangeNames, exchangerMissing } from "../core/testing/exchanger.ts";
import { type BeneathOptions, LeavesDirectory, openBeneath, statBeneath } from "./beneath.ts";

describe.skipIf(process.platform !== "linux")("paths below a directory", () => {
	let folder: string;
	let volume: string;
	beforeEach(() => {
		folder = mkdtempSync(`${tmpdir()}/cox-beneath-`);
		volume = `${folder}/volume`;
		mkdirSync(`${volume}/deep/inner`, { recursive: true });
		writeFileSync(`${volume}/deep/file`, "text");
		writeFileSync(`${folder}/secret`, "secret");
	});
	afterEach(() => rmSync(folder, { recursive: true }));

	const inode = (path: string, options: BeneathOptions = { links: "inside" }) => {
		const fd = openBeneath(volume, path, options);
		try {
			return fstatSync(fd).ino;
		} finally {
			closeSync(fd);
		}
	};

	it("are followed through links and dots that stay inside", () => {
		symlinkSync("deep/../deep", `${volume}/link`);
		const { ino } = statSync(`${volume}/deep/file`);
		for (const path of ["deep/file", "./deep//file", "deep/inner/../file", "link/file"]) expect(inode(path)).toBe(ino);
		expect(inode("/link/file", { links: "root" })).toBe(ino);
	});

	it("are refused when a link or dots lead out", () => {
		symlinkSync("../secret", `${volume}/up`);
		symlinkSync(`${volume}/deep`, `${volume}/absolute`);
		for (const path of ["up", "absolute/file", "..", "deep/../../secret"])
			expect(() => inode(path)).toThrow(LeavesDirectory);
		symlinkSync("loop", `${volume}/loop`);
		expect(() => inode("loop")).toThrow("too many links");
	});

	it("end at the directory where it is taken for the root", () => {
		symlinkSync("/deep", `${volume}/absolute`);
		const { ino } = statSync(`${volume}/deep/file`);
		for (const path of ["absolute/file", "../../deep/file"]) expect(inode(path, { links: "root" })).toBe(ino);
	});

	it("are made with the mode asked for, behind dangling links, too, and never outside", () => {
		symlinkSync("not/there", `${volume}/dangling`);
		symlinkSync("../outside", `${volume}/out`);
		inode("dangling/x", { links: "inside", make: "directory", mode: 0o777 });
		expect(statSync(`${volume}/not/there/x`).mode & 0o7777).toBe(0o777);
		inode("new/file", { links: "inside", make: "file" });
		expect(statSync(`${volume}/new/file`).isFile()).toBe(true);
		expect(() => inode("out/x", { links: "inside", make: "directory" })).toThrow(LeavesDirectory);
		expect(readdirSync(folder).sort()).toEqual(["secret", "volume"]);
		expect(statBeneath(volume, "absent", { links: "inside" })).toBeUndefined();
	});

	it.skipIf(exchangerMissing !== "")(
		`never lead out, and nothing is made outside, while names are exchanged with links${exchangerMissing}`,
		async () => {
			mkdirSync(`${folder}/outside`);
			mkdirSync(`${volume}/x`);
			symlinkSync(`${folder}/outside`, `${volume}/y`);
			const outside = statSync(`${folder}/outside`).ino;
			await using _attack = await exchangeNames(`${volume}/x`, `${volume}/y`);
			let made = 0;
			for (let attempt = 0; attempt < 1500; attempt++) {
				try {
					expect(inode("x")).not.toBe(outside);
					inode(`x/d${attempt}/e`, { links: "inside", make: "directory" });
					made++;
				} catch (error) {
					if (!(error instanceof LeavesDirectory)) throw error;
				}
			}
			expect(made).toBeGreaterThan(0);
			expect(readdirSync(`${folder}/outside`)).toEqual([]);
		},
	);
});
