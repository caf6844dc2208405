import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A directory of this package's `assets`, found from the sources and from the bundle.
 * @throws Error if it does not exist
 */
export function assetsDirectory(name: string): string {
	for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
		const candidate = resolve(directory, "assets", name);
		if (existsSync(candidate)) return candidate;
		if (directory === dirname(directory)) throw new Error(`assets/${name} is missing from the package`);
	}
}
