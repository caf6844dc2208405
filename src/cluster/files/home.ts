import { homedir } from "node:os";
import { isAbsolute } from "node:path";

/** The user's home directory; undefined where they have none, as users without an account may. */
export function homeDirectory(): string | undefined {
	try {
		const home = homedir();
		return isAbsolute(home) ? home : undefined;
	} catch {
		return undefined;
	}
}
