/** Suites that need programs of this machine: what is missing is said aloud, and fails where CI is true. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** Programs on the PATH; modules of programs below a folder of /usr/lib. */
function isThere(program: string): boolean {
	const modules = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((folder) => join("/usr/lib", folder)) : [];
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
