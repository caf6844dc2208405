import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * The simulation and all it simulates as one module. Modules that are loaded while a simulation runs would take turns of
 * the event loop that differ from run to run, and with them the order of things; in a bundle they are there already.
 */
export async function loadSimulation(): Promise<typeof import("./entry.ts")> {
	const root = fileURLToPath(new URL("../../", import.meta.url));
	// Inside the project, where the packages that stay outside the bundle are found.
	const folder = mkdtempSync(join(root, "node_modules", ".simulation-"));
	const outfile = join(folder, "simulation.mjs");
	try {
		await build({
			entryPoints: [fileURLToPath(new URL("./entry.ts", import.meta.url))],
			outfile,
			bundle: true,
			platform: "node",
			format: "esm",
			packages: "external",
			sourcemap: "inline",
			logLevel: "error",
		});
		return await import(/* @vite-ignore */ pathToFileURL(outfile).href);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
