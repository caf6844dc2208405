/** Nodes as users (Kubernetes documentation, "Using Node Authorization"). */
import type { User } from "../../../core/exchange.ts";

const nodesGroup = "system:nodes";
const namePrefix = "system:node:";

/**
 * The name of the node that the user is: one named `system:node:NAME` in the group `system:nodes`. Empty for a user
 * that does not say which node it is; undefined for all other users.
 */
export function nodeNameOf({ name, groups }: User): string | undefined {
	if (!name.startsWith(namePrefix) || !groups.includes(nodesGroup)) return undefined;
	return name.slice(namePrefix.length);
}

/** The user that a node's agent acts as. */
export function nodeUser(nodeName: string): User {
	return { name: `${namePrefix}${nodeName}`, groups: [nodesGroup, "system:authenticated"] };
}
