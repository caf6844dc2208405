/** The user of this process. Not every user has an account: in containers a number is often enough. */
import { homedir, userInfo } from "node:os";
import { isAbsolute } from "node:path";

/** The user's home directory; undefined if there is none. */
export function homeDirectory(): string | undefined {
	try {
		const home = homedir();
		return isAbsolute(home) ? home : undefined;
	} catch {
		return undefined;
	}
}

/** The user's name, or their number. */
export function userName(): string {
	try {
		return userInfo().username;
	} catch {
		return String(process.getuid?.());
	}
}
