/** Suites that need programs of this machine: what is missing is said aloud, and fails where CI is true. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const within = (folder: string) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);

/** Programs on the PATH, PostgreSQL's where Debian has them; modules of programs below a folder of /usr/lib. */
function isThere(program: string): boolean {
	const modules = [...within("/usr/lib"), ...within("/usr/lib/postgresql").map((version) => join(version, "bin"))];
	const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin", ...modules];
	return folders.some((folder) => folder !== "" && existsSync(join(folder, program)));
}

/** As `describe`, without the suite's tests where one of its programs is missing. */
export function describeWith(programs: readonly string[], name: string, suite: () => void): void {
	const missing = programs.filter((program) => !isThere(program));
	if (missing.length === 0) describe(name, suite);
	else if (process.env.CI === "true") {
		test(`${name}: its programs are there`, () => expect(missing, "missing programs").toEqual([]));
	} else {
		console.warn(`${name}: skipped, because these programs are missing: ${missing.join(", ")}`);
		describe.skip(`${name} (missing: ${missing.join(", ")})`, suite);
	}
}
