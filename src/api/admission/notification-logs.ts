/**
 * The last lines of logs leave the cluster with the messages of a NotificationPolicy. Who writes one that sends them
 * must be allowed to read them: otherwise a policy, with a Secret of one's own, would be a way around pods/log.
 */

import { sameJson } from "../../core/equal.ts";
import { notificationPolicies } from "../../kinds/notify/notificationpolicy.ts";
import type { NotificationPolicy } from "../../kinds/notify/types.ts";
import { type AdmissionStep, refused } from "./step.ts";

export const notificationLogs: AdmissionStep = {
	name: "NotificationLogs",
	on: { operations: ["create", "update"], kinds: [notificationPolicies] },
	admit(request) {
		// Steps see the kinds that they ask for.
		const [policy, old] = [request.object as NotificationPolicy, request.old as NotificationPolicy | undefined];
		if (policy.spec.logLines === 0) return undefined;
		// Nothing more is sent than before: labels and finalizers are for others to change, too.
		if (old !== undefined && sameJson(policy.spec, old.spec)) return undefined;
		return demand(request);
	},
};

async function demand(request: Parameters<AdmissionStep["admit"]>[0]): Promise<void> {
	const { server, user, namespace } = request;
	const resource = { group: "", version: "v1", plural: "pods", subresource: "log", ...(namespace && { namespace }) };
	const { verdict } = await server.authorizer.authorize({ user, verb: "get", path: "", resource });
	if (verdict === "allow") return;
	const why = `user not permitted to get pods/log in namespace ${JSON.stringify(namespace)}: set spec.logLines to 0`;
	throw refused(request, why);
}
