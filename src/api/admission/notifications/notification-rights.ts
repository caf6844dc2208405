/**
 * The author of a NotificationPolicy must be allowed to read what it sends. The last lines of logs leave the cluster
 * with its messages: with their own Secret, users could bypass pods/log. A policy also uses the contents of Secrets: a
 * message signed with another user's password and sent to one's own URL is enough to guess that password, and a URL
 * that starts a deployment could be called by any author of a policy.
 */
import { sameJson } from "../../../core/equal.ts";
import { notificationPolicies } from "../../../kinds/notify/notificationpolicy.ts";
import type { NotificationPolicy, NotificationSink, SecretSource } from "../../../kinds/notify/types.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

export const notificationRights: AdmissionStep = {
	name: "NotificationRights",
	on: { operations: ["create", "update"], kinds: [notificationPolicies] },
	admit(request) {
		// Steps see the kinds that they ask for.
		const [policy, old] = [request.object as NotificationPolicy, request.old as NotificationPolicy | undefined];
		// The spec is unchanged: others may change labels and finalizers.
		if (old !== undefined && sameJson(policy.spec, old.spec)) return undefined;
		const { logLines, sinks = [] } = policy.spec;
		const secrets = new Set(sinks.flatMap(secretsOf));
		return logLines === 0 && secrets.size === 0 ? undefined : demand(request, logLines !== 0, secrets);
	},
};

async function demand(request: AdmissionAttributes, sendsLogs: boolean, secrets: Iterable<string>): Promise<void> {
	const where = `in namespace ${JSON.stringify(request.namespace)}`;
	if (sendsLogs && !(await mayGet(request, { plural: "pods", subresource: "log" })))
		throw refused(request, `user not permitted to get pods/log ${where}: set spec.logLines to 0`);
	for (const name of secrets)
		if (!(await mayGet(request, { plural: "secrets", name })))
			throw refused(
				request,
				`user not permitted to get secret ${JSON.stringify(name)} ${where}, which the policy uses`,
			);
}

async function mayGet(
	{ server, user, namespace }: AdmissionAttributes,
	what: { plural: string; subresource?: string; name?: string },
): Promise<boolean> {
	const resource = { group: "", version: "v1", ...(namespace && { namespace }), ...what };
	const { verdict } = await server.authorizer.authorize({ user, verb: "get", path: "", resource });
	return verdict === "allow";
}

/** Names of the Secrets that a sink uses. It is not validated yet. */
function secretsOf({ slack, googleChat, teams, webhook, email }: NotificationSink): string[] {
	const sources: (SecretSource | undefined)[] = [
		slack?.urlFrom,
		googleChat?.urlFrom,
		teams?.urlFrom,
		webhook?.urlFrom,
		webhook?.keyFrom,
		email?.serverFrom,
	];
	return sources.flatMap((source) => source?.secretKeyRef?.name || []);
}
