import { messageOf } from "../errors.ts";

/** The message of an error for Events and statuses, which every user who may view the pod can read. Pure. */

/** Upstream's bound on the note of an Event. */
const longest = 1024;

/**
 * The error's message, short and without where the node keeps its files.
 * @param internal directories of the node; of what is in their `own` and `fs`, which is the node's file system, its
 * paths remain
 */
export function plainWords(error: unknown, internal: readonly string[] = []): string {
	let text = messageOf(error);
	for (const directory of internal) {
		if (!text.includes(directory)) continue;
		for (const shown of ["/own/", "/fs/"]) text = text.replaceAll(directory + shown, "/");
		text = text.replaceAll(directory, "…");
	}
	return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
