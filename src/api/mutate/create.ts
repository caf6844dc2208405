import { ApiError, alreadyExists, conflict } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { qualifiedResource } from "../../kinds/engine/kind.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { inQuotaOrder } from "../admission/quota/quota-order.ts";
import type { Cached } from "../cache/cached.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { type Change, mutate } from "./mutate.ts";
import { isDryRun } from "./options/write-options.ts";

/**
 * @param decode creates the object from the request, a new one for each call
 * @param ownsManagedFields the object's managedFields are stored as they are (server-side apply)
 * @throws ApiError AlreadyExists, Invalid, or an error of admission
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
		make() {
			const object = decode();
			if (target.kind.custom?.isTerminating()) throw definitionGoes(target, object.metadata.name);
			return object;
		},
		finish: (object) => ({ do: "put", object }),
		failed({ name, object, companions }, taken) {
			// The next attempt generates another name, allocates another address, and checks the quota again.
			const isOther = taken.length > 0 || object.metadata.generateName !== undefined;
			if (!isOther) throw alreadyExists(target.kind, name);
			if (companions.updates === undefined) return alreadyExists(target.kind, name);
			return conflict(resourceQuotas, target.namespace ?? "", "the quotas of the namespace change too fast");
		},
	};
	return inQuotaOrder(context.server, target, () => mutate(context, target, creation)).then(({ cached }) => cached);
}

function definitionGoes({ kind }: Target, name = ""): ApiError {
	const why = "create not allowed while custom resource definition is terminating";
	return new ApiError("Forbidden", `${qualifiedResource(kind)} "${name}" is forbidden: ${why}`, {
		...(name !== "" && { name }),
		group: kind.group,
		kind: kind.plural,
	});
}
