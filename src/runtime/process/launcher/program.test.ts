/** The launcher's programs in the package match their sources. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import {
	compileLauncher,
	compilerVersion,
	type LauncherArchitecture,
	launcherManifest,
	launcherProgram,
	sha256,
	sourceDigest,
} from "../../../../scripts/build-launcher.ts";

const manifest = launcherManifest();

describe("programs of the launcher", () => {
	it("were made of the sources that are here: run `npm run build:launcher` after a change", () => {
		expect(manifest.sources).toBe(sourceDigest());
		// The manifest's names are the script's.
		for (const [architecture, { sha256: expected }] of Object.entries(manifest.programs))
			expect(sha256(launcherProgram(architecture as LauncherArchitecture))).toBe(expected);
	});

	for (const architecture of ["x64", "arm64"] as const) {
		const wanted = manifest.programs[architecture]?.compiler;
		const found = compilerVersion(architecture);
		const why = found === wanted ? "" : ` (skipped: the compiler is ${found ?? "not installed"}, not ${wanted})`;
		it.skipIf(why !== "")(`are the same bytes when compiled again for ${architecture}${why}`, () => {
			const directory = mkdtempSync(`${tmpdir()}/cox-launcher-`);
			try {
				compileLauncher(architecture, `${directory}/launcher`);
				expect(sha256(`${directory}/launcher`)).toBe(manifest.programs[architecture]?.sha256);
			} finally {
				rmSync(directory, { recursive: true });
			}
		});
	}
});
