import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sourceInfo } from "./build-info.ts";

const root = mkdtempSync(join(tmpdir(), "build-info-"));
afterAll(() => rmSync(root, { recursive: true }));

test("sources outside of a repository know no commit", () => {
	expect(sourceInfo(root)).toEqual({ gitCommit: "", gitTreeState: "", buildDate: "1970-01-01T00:00:00Z" });
});

test("sources tell the commit that is checked out, its date, and whether something differs from it", () => {
	const git = (...args: string[]) =>
		execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...args], {
			cwd: root,
			encoding: "utf8",
			env: { ...process.env, GIT_COMMITTER_DATE: "2024-05-06T07:08:09+02:00" },
		}).trim();
	git("init", "--quiet");
	writeFileSync(join(root, "file"), "one");
	git("add", "file");
	git("commit", "--quiet", "--message", "first");
	const clean = { gitCommit: git("rev-parse", "HEAD"), gitTreeState: "clean", buildDate: "2024-05-06T05:08:09Z" };
	expect(clean.gitCommit).toMatch(/^[0-9a-f]{40}$/);
	expect(sourceInfo(root)).toEqual(clean);
	writeFileSync(join(root, "file"), "two");
	expect(sourceInfo(root)).toEqual({ ...clean, gitTreeState: "dirty" });
});
