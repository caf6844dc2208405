/** The library for YAML. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * It takes 25 ms and a few megabytes to load, so that is done when the first YAML is read or written, which most
 * processes never do; by `require`, because those who read do not wait.
 */
export function yamlLibrary() {
	// The package's own types.
	return require("yaml") as typeof import("yaml");
}
