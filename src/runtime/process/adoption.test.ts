import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import { logPayload } from "../contract/contract.ts";
import { createProcessRuntime } from "./runtime.ts";

const clock = systemClock();
const driver = fileURLToPath(new URL("driver.ts", import.meta.url));

/**
 * Runs the driver until it reports that the container is running.
 * @returns functions to kill it
 */
function startDriver(directory: string, script: string): Promise<() => Promise<void>> {
	const child = spawn(process.execPath, ["--import", "tsx", driver, directory, script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	return new Promise((resolve, reject) => {
		child.once("exit", (code) => reject(new Error(`the driver ended with ${code}`)));
		child.stdout.once("data", () => {
			resolve(() => {
				child.kill("SIGKILL");
				return gone;
			});
		});
	});
}

describe.skipIf(process.getuid?.() !== 0)("adoption (as root)", () => {
	it("loses no line and no exit code when the agent is killed again and again while a container writes", async () => {
		const directory = mkdtempSync(`${tmpdir()}/cox-adoption-`);
		const lines = 200_000;
		const script = `i=0; while [ $i -lt ${lines} ]; do echo $i; echo $i >&2; i=$((i+1)); done; exit 23`;
		for (let kills = 0; kills < 5; kills++) {
			const kill = await startDriver(directory, script);
			await clock.sleep(clock.random() * 50);
			await kill();
		}
		const runtime = await createProcessRuntime({
			clock,
			directory: `${directory}/state`,
			scratchDirectory: `${directory}/scratch`,
			hidden: [directory],
		});
		try {
			let container = (await runtime.listContainers())[0];
			for (let attempt = 0; container?.state !== "exited" && attempt < 2000; attempt++) {
				await clock.sleep(10);
				container = (await runtime.listContainers())[0];
			}
			expect(container).toMatchObject({ state: "exited", exitCode: 23, reason: "Error" });
			const log = readFileSync(`${directory}/main.log`, "utf8");
			for (const stream of ["stdout", "stderr"] as const) {
				const written = logPayload(log, stream).split("\n");
				expect(written.length - 1).toBe(lines);
				expect(written.findIndex((line, index) => index < lines && line !== String(index))).toBe(-1);
			}
		} finally {
			for (const sandbox of await runtime.listSandboxes()) await runtime.removeSandbox(sandbox.id);
			await runtime.close();
			await rm(directory, { recursive: true });
		}
	}, 60_000);
});
