/**
 * Limits the number of NotificationPolicies per namespace. Every change of a run is compared with each of them, and
 * each may have a thousand messages waiting for each of its sinks: without a limit one namespace could keep the
 * notifier from the others.
 */
import { notificationPolicies } from "../../../kinds/notify/notificationpolicy.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";

const mostPolicies = 100;

export const notificationCount: AdmissionStep = {
	name: "NotificationCount",
	on: { operations: ["create"], kinds: [notificationPolicies] },
	admit(request) {
		const { server, namespace = "" } = request;
		const there = server.cache.resource(notificationPolicies).range(keyPrefix(notificationPolicies, namespace));
		if ([...there].length < mostPolicies) return undefined;
		throw refused(request, `a namespace has at most ${mostPolicies} notification policies`);
	},
};
