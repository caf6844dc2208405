/** Starts that never report fail after a while, and leave nothing behind. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assetsDirectory } from "./machine/assets.ts";
import { type ProcessFixture, processFixture } from "./testing.ts";

describe.skipIf(process.getuid?.() !== 0)("a start that hangs (as root)", () => {
	let place: string;
	let fixture: ProcessFixture;
	beforeEach(() => {
		place = mkdtempSync(`${tmpdir()}/cox-hangs-`);
	});
	afterEach(async () => {
		await fixture.dispose();
		rmSync(place, { recursive: true });
	});

	/** A runtime whose launcher carries out only some plans. */
	const open = async (carriedOut: string) => {
		const real = `${assetsDirectory("launcher")}/launcher-${process.arch}`;
		const launcher = `${place}/launcher`;
		const begins = `[ "$(/usr/bin/head -c 4 "$1")" = "${carriedOut}" ]`;
		writeFileSync(launcher, `#!/bin/sh\nif ${begins}; then exec ${real} "$1"; fi\n/usr/bin/sleep 1000 & wait\n`);
		chmodSync(launcher, 0o755);
		fixture = await processFixture({ launcher, startLimitMs: 300 });
	};

	it("of a sandbox fails", async () => {
		await open("none");
		await expect(fixture.start({ command: ["true"] })).rejects.toThrow(
			"cannot make the sandbox: it was not there within 0.3 s",
		);
	});

	it("of a container is reported, and can be removed", async () => {
		await open("hold");
		const { id } = await fixture.start({ command: ["true"] });
		const { reason, exitCode, message } = await fixture.exited(id);
		expect([reason, exitCode]).toEqual(["StartError", 128]);
		expect(message).toContain("did not start within 0.3 s");
		await fixture.runtime.removeContainer(id);
		expect(await fixture.runtime.listContainers()).toEqual([]);
	});
});
