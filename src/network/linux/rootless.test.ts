/** The contract once more, as an ordinary user. */
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "vitest";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const vitest = `${root}/node_modules/vitest/vitest.mjs`;

describe("network contract: linux, rootless", () => {
	const asRoot = process.getuid?.() === 0;
	const user = asRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"];
	const behaviour = "does all of it as an unprivileged user";
	const test = async () => {
		const home = mkdtempSync(`${tmpdir()}/cox-rootless-`);
		chmodSync(home, 0o777);
		const files = ["src/network/linux/network.test.ts", "src/network/machine.test.ts"];
		const run = [process.execPath, vitest, "run", "--configLoader=runner", `--root=${root}`, ...files];
		const [program = "", ...args] = [...user, ...run];
		try {
			await execute(program, args, {
				env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home, NO_COLOR: "1", COX_TEST_ROOTLESS: "1" },
			});
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
