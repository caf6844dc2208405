/**
 * The examples for test runners. Vitest's is part of this suite itself; Jest is not installed here, and reads like
 * them.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const execute = promisify(execFile);
const folder = join(import.meta.dirname, "../../examples/embedding");

test("node:test runs its example", async () => {
	const { NODE_TEST_CONTEXT: _, ...env } = process.env;
	const { stdout } = await execute(process.execPath, ["--test", join(folder, "node-test/greeter.test.mjs")], { env });
	expect(stdout).toMatch(/pass 2\b/);
	expect(stdout).toMatch(/fail 0\b/);
});
