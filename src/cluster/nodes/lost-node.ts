import type { Client } from "../../client/client.ts";
import { removalFromLostNode } from "../../controllers/pod-gc/controller.ts";
import { Expectations } from "../../controllers/runtime/expectations.ts";
import { carryOut } from "../../controllers/runtime/shell-actions.ts";
import { isReason } from "../../core/errors.ts";
import { nodes } from "../../kinds/core/node.ts";
import { pods } from "../../kinds/pod/pod.ts";

/**
 * Deletes a node and its pods from the API after everything on it has ended; pod garbage collection would wait in case
 * it comes back. It handles pods that cannot be deleted now.
 */
export async function forgetNode(client: Client, name: string, nowMs: number): Promise<void> {
	try {
		await client.delete(nodes, { name });
	} catch (error) {
		if (!isReason(error, "NotFound")) throw error;
	}
	const { items } = await client.list(pods, { fieldSelector: `spec.nodeName=${name}` });
	const parts = {
		client,
		recorder: undefined,
		component: "cox",
		known: () => undefined,
		signal: new AbortController().signal,
	};
	await Promise.allSettled(
		items.map((pod) => carryOut(removalFromLostNode(pod, nowMs), { ...parts, expectations: new Expectations() })),
	);
}
