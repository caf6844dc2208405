/** Programs that tests run: a missing program is reported, and fails the test in CI. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

const allKubectls = [
	{ name: "of Debian bookworm (1.20)", path: join(root, ".cache/kubectl/old/kubectl") },
	{ name: "of this machine", path: onPath("kubectl") ?? "" },
	{ name: "of Debian unstable", path: join(root, ".cache/kubectl/current/kubectl") },
].filter(({ path }) => path !== "" && existsSync(path));

/**
 * The kubectls to test with, oldest first: Debian bookworm's 1.20 and Debian unstable's. The machine's own takes the
 * place of one that is missing; between the two it shows nothing new.
 */
export const kubectls: readonly { name: string; path: string }[] =
	allKubectls.length > 2 ? [...allKubectls.slice(0, 1), ...allKubectls.slice(-1)] : allKubectls;

/** The newest of them; a name on the PATH where there is none. */
export const kubectlPath = kubectls.at(-1)?.path ?? "kubectl";

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

/** kubectl from the cache; others on the PATH, PostgreSQL's where Debian has them, or as modules below /usr/lib. */
function isThere(program: string): boolean {
	if (program === "kubectl") return kubectls.length > 0;
	const modules = [...within("/usr/lib"), ...within("/usr/lib/postgresql").map((version) => join(version, "bin"))];
	return onPath(program, ["/usr/sbin", "/sbin", ...modules]) !== undefined;
}

function onPath(program: string, more: readonly string[] = []): string | undefined {
	const folders = [...(process.env.PATH ?? "").split(":"), ...more].filter((folder) => folder !== "");
	return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function within(folder: string): string[] {
	return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
