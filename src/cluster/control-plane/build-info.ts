/** The sources and the time of this build, which `/version` reports. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { timestamp } from "../../core/clock.ts";
import { packageDirectory } from "../files/package-files.ts";

export interface BuildInfo {
	/** 40 hexadecimal digits, or empty where there is no repository. */
	gitCommit: string;
	gitTreeState: "clean" | "dirty" | "";
	/** RFC 3339. */
	buildDate: string;
}

/** What scripts/build.ts wrote in the place of the name; unknown when the sources run as they are. */
declare const COXSWAIN_BUILD: BuildInfo | undefined;

let known: BuildInfo | undefined;

/** Of the bundle, or of the sources where they run as they are. */
export function buildInfo(): BuildInfo {
	known ??= typeof COXSWAIN_BUILD === "undefined" ? sourceInfo(packageDirectory) : COXSWAIN_BUILD;
	return known;
}

/** Sources have the date of their last commit. @param root the folder of package.json */
export function sourceInfo(root: string): BuildInfo {
	const unknown = { gitCommit: "", gitTreeState: "", buildDate: "1970-01-01T00:00:00Z" } as const;
	// A package that lies in someone else's repository is not described by that one's commits.
	if (!existsSync(join(root, ".git"))) return unknown;
	try {
		const [gitCommit = "", seconds] = git(root, "show", "--no-patch", "--format=%H %ct", "HEAD").split(" ");
		return {
			gitCommit,
			gitTreeState: git(root, "status", "--porcelain", "--untracked-files=no") === "" ? "clean" : "dirty",
			buildDate: timestamp(Number(seconds) * 1000),
		};
	} catch {
		// No git, or a repository of another user, which git does not read.
		return unknown;
	}
}

function git(root: string, ...args: string[]): string {
	return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
