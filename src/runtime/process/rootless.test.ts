/** The contract once more, as an ordinary user inside a user namespace: what a node of a cluster without root is. */
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "vitest";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const vitest = `${root}/node_modules/vitest/vitest.mjs`;

describe("runtime contract: process, rootless", () => {
	const asRoot = process.getuid?.() === 0;
	const user = asRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"];
	const behaviour = "does all of it as an unprivileged user";
	const test = async () => {
		const home = mkdtempSync(`${tmpdir()}/cox-rootless-`);
		chmodSync(home, 0o777);
		const namespaces = [
			"--user",
			"--map-root-user",
			"--net",
			"--uts",
			"--mount",
			"--pid",
			"--fork",
			"--kill-child",
			"--mount-proc",
		];
		// The shell is PID 1 and reaps, as a node's holder does.
		const run = [
			"sh",
			"-c",
			'"$@" & wait $!',
			"sh",
			process.execPath,
			vitest,
			"run",
			"--configLoader=runner",
			`--root=${root}`,
		];
		const [program = "", ...args] = [
			...user,
			"unshare",
			...namespaces,
			...run,
			"src/runtime/process/process.test.ts",
			"src/runtime/process/isolation.test.ts",
		];
		try {
			await execute(program, args, { env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home, NO_COLOR: "1" } });
		} catch (error) {
			// The report of the inner run says what failed.
			const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
			throw new Error(`${error instanceof Error ? error.message : error}\n${output}`);
		} finally {
			rmSync(home, { recursive: true, force: true });
		}
	};
	const allowed =
		spawnSync(user[0] ?? "", [...user.slice(1), "unshare", "--user", "--map-root-user", "--net", "true"]).status === 0;
	if (allowed) it(behaviour, test, 120_000);
	else it.skip(`${behaviour} (user namespaces are forbidden here)`, test);
});
