/** The sources and the time of this build, which `/version` reports. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { timestamp } from "../../core/time/clock.ts";
import { packageDirectory } from "../files/package-files.ts";

export interface BuildInfo {
	/** 40 hexadecimal digits; empty if there is no repository. */
	gitCommit: string;
	gitTreeState: "clean" | "dirty" | "";
	/** RFC 3339. */
	buildDate: string;
}

/** Replaced by scripts/build.ts; undefined when the sources run directly. */
declare const COXSWAIN_BUILD: BuildInfo | undefined;

let known: BuildInfo | undefined;

/** Of the bundle, or of the sources when they run directly. */
export function buildInfo(): BuildInfo {
	known ??= typeof COXSWAIN_BUILD === "undefined" ? sourceInfo(packageDirectory) : COXSWAIN_BUILD;
	return known;
}

/**
 * For sources, the date of their last commit.
 * @param root the folder of package.json
 */
export function sourceInfo(root: string): BuildInfo {
	const unknown = { gitCommit: "", gitTreeState: "", buildDate: "1970-01-01T00:00:00Z" } as const;
	// The commits of another project's repository do not describe this package.
	if (!existsSync(join(root, ".git"))) return unknown;
	try {
		const [gitCommit = "", seconds] = git(root, "show", "--no-patch", "--format=%H %ct", "HEAD").split(" ");
		return {
			gitCommit,
			gitTreeState: git(root, "status", "--porcelain", "--untracked-files=no") === "" ? "clean" : "dirty",
			buildDate: timestamp(Number(seconds) * 1000),
		};
	} catch {
		// git is not installed, or refuses a repository of another user.
		return unknown;
	}
}

function git(root: string, ...args: string[]): string {
	return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
