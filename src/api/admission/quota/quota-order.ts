/**
 * Serializes writes that are charged to a namespace's quotas: of concurrent ones, all but one would have to be retried.
 */
import type { Kind } from "../../../kinds/engine/kind.ts";
import type { Server } from "../../server/server.ts";
import { quotasFor } from "./resource-quota.ts";

const lines = new WeakMap<Server, Map<string, Promise<void>>>();

/**
 * Runs `write` after the previous ones in the namespace; immediately if no quota counts objects of the kind. The commit
 * detects concurrent writes of other servers.
 */
export function inQuotaOrder<T>(
	server: Server,
	{ kind, namespace }: { kind: Kind; namespace: string | undefined },
	write: () => Promise<T>,
): Promise<T> {
	if (namespace === undefined || quotasFor(server, kind, namespace).length === 0) return write();
	let queues = lines.get(server);
	if (queues === undefined) {
		queues = new Map();
		lines.set(server, queues);
	}
	const before = queues.get(namespace) ?? Promise.resolve();
	const result = before.then(write);
	const after = result.then(
		() => {},
		() => {},
	);
	queues.set(namespace, after);
	const waiting = queues;
	after.then(() => {
		if (waiting.get(namespace) === after) waiting.delete(namespace);
	}, undefined);
	return result;
}
