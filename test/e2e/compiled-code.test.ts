/** Programs run with whatever is in the folder of compiled code. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { version } from "../../src/cluster/files/version.ts";
import { root, run } from "./cluster.ts";

test("a program keeps its compiled code, and runs with damaged, stale, foreign or no code", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-code-"));
	const cox = async (env: Record<string, string> = {}) => {
		const command = [join(root, "bin/cox.js"), "--version"];
		const { code, stdout, stderr } = await run(process.execPath, command, { env: { COX_CODE_CACHE: folder, ...env } });
		expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
	};
	const names = () => readdirSync(folder).sort();
	try {
		await cox();
		const [name = ""] = names();
		expect(names()).toEqual([expect.stringMatching(/^cli-[0-9a-f]{8}$/)]);
		const file = join(folder, name);
		const good = readFileSync(file);
		const written = statSync(file).mtimeMs;
		await cox();
		expect(statSync(file).mtimeMs, "the code was used").toBe(written);

		good[good.length >> 1] = (good[good.length >> 1] ?? 0) ^ 1;
		writeFileSync(file, good);
		await cox();
		expect(readFileSync(file).equals(good), "the damaged code was replaced").toBe(false);

		// What another version of Node.js, or other options of V8, compiled.
		await cox({ NODE_OPTIONS: "--max-semi-space-size=1" });
		const other = names().find((one) => one !== name) ?? "";
		copyFileSync(join(folder, other), file);
		const foreign = readFileSync(file);
		await cox();
		expect(readFileSync(file).equals(foreign), "V8 refused the foreign code").toBe(false);

		await cox({ COX_CODE_CACHE: "/proc/none" });
		await cox({ COX_CODE_CACHE: "" });
		await cox({ NODE_OPTIONS: "--enable-source-maps" });
		expect(names()).toEqual([name, other].sort());
	} finally {
		rmSync(folder, { recursive: true });
	}
});
