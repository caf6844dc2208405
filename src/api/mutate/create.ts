import { alreadyExists, conflict } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { inQuotaOrder } from "../admission/quota/quota-order.ts";
import type { Cached } from "../cache/cached.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { type Change, mutate } from "./mutate.ts";
import { isDryRun } from "./write-options.ts";

/**
 * @param decode makes what the client sent, a new object each time it is called
 * @param ownsManagedFields the object has the managedFields that are to be kept (server-side apply)
 * @throws ApiError AlreadyExists, Invalid, or what admission says
 */
export function createObject(
	context: Context,
	target: Target,
	decode: () => KubeObject,
	ownsManagedFields = false,
): Promise<Cached> {
	const creation: Change<undefined> = {
		operation: "create",
		ownsManagedFields,
		dryRun: isDryRun(context.request.query),
		read: () => undefined,
		make: decode,
		finish: (object) => ({ do: "put", object }),
		failed({ name, object, companions }, taken) {
			// Another name is generated then, another address chosen, the quota looked at again.
			const isOther = taken.length > 0 || object.metadata.generateName !== undefined;
			if (!isOther) throw alreadyExists(target.kind, name);
			if (companions.updates === undefined) return alreadyExists(target.kind, name);
			return conflict(resourceQuotas, target.namespace ?? "", "the quotas of the namespace change too fast");
		},
	};
	return inQuotaOrder(context.server, target, () => mutate(context, target, creation)).then(({ cached }) => cached);
}
