/** Repeats tests as an ordinary user. */

import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { it } from "vitest";
import { messageOf } from "../../core/errors.ts";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const vitest = `${root}/node_modules/vitest/vitest.mjs`;

/**
 * Runs test files in a separate vitest process: as nobody if this one runs as root, otherwise as the same user. Skipped
 * where user namespaces are not allowed.
 * @param files paths relative to the repository
 * @param inside a command that runs the rest of its arguments
 */
export function asOrdinaryUser(
	files: readonly string[],
	{ inside = [], env = {} }: { inside?: readonly string[]; env?: NodeJS.ProcessEnv },
): void {
	const asRoot = process.getuid?.() === 0;
	const become = asRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"];
	const run = [process.execPath, vitest, "run", "--configLoader=runner", `--root=${root}`, ...files];
	const [program = "", ...args] = [...become, ...inside, ...run];
	const behaviour = "does all of it as an unprivileged user";
	const test = async ({ signal }: { signal: AbortSignal }) => {
		const home = mkdtempSync(`${tmpdir()}/cox-rootless-`);
		chmodSync(home, 0o777);
		try {
			await execute(program, args, {
				signal,
				env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home, NO_COLOR: "1", ...env },
			});
		} catch (error) {
			// The output of the inner run shows what failed.
			const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
			throw new Error(`${messageOf(error)}\n${output}`);
		} finally {
			await rm(home, { recursive: true, force: true });
		}
	};
	const unshare = [...become.slice(1), "unshare", "--user", "--map-root-user", "--net", "true"];
	const allowed = spawnSync(program, unshare).status === 0;
	// Each inner test has its own bound, which says more.
	if (allowed) it(behaviour, test, 600_000);
	else it.skip(`${behaviour} (user namespaces are forbidden here)`, test);
}
