/** How esbuild bundles the package. */
import { join } from "node:path";
import type { BuildOptions } from "esbuild";

export const root = join(import.meta.dirname, "..");

export const bundling = {
	absWorkingDir: root,
	bundle: true,
	format: "esm",
	platform: "node",
	target: "node20",
	// Dependencies stay packages: two of them hold native code, and users' audits and updates should see all of them.
	packages: "external",
	logLevel: "warning",
} as const satisfies BuildOptions;
