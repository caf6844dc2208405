import { conditionOf } from "../../core/conditions.ts";
import { ageColumn, column, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import { notifyTypes } from "./schemas.ts";
import type { NotificationPolicy } from "./types.ts";
import { validateSpec } from "./validate.ts";

/** Group and prefix of the annotations. */
export const notifyGroup = "notify.coxswain.io";

/** The kind that configures notifications about workloads. notify/ delivers them. */
export const notificationPolicies: Kind<NotificationPolicy> = {
	group: notifyGroup,
	version: "v1",
	kind: "NotificationPolicy",
	plural: "notificationpolicies",
	singular: "notificationpolicy",
	shortNames: ["notify"],
	categories: [],
	namespaced: true,
	schema: "NotificationPolicy",
	types: notifyTypes,
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Events", "Events that are reported.", ({ spec }) => (spec.events ?? []).join(",")),
		column("Sinks", "Sinks that receive messages.", ({ spec }) => (spec.sinks ?? []).map(({ name }) => name).join(",")),
		column("Ready", "Whether it can be heeded.", (policy) => conditionOf(policy, "Ready")?.status ?? "Unknown"),
		column(
			"Delivering",
			"Whether the last attempt succeeded.",
			(policy) => conditionOf(policy, "Delivering")?.status ?? "",
		),
		column("Sent", "Messages that sinks have accepted.", ({ status }) => status?.sent ?? 0, "integer"),
		column("Failed", "Messages that were given up.", ({ status }) => status?.failed ?? 0, "integer"),
		column("Pending", "Messages that wait.", ({ status }) => status?.pending ?? 0, "integer"),
		ageColumn,
		wideColumn("Message", "What is wrong.", messageText),
	],

	setDefaults({ spec }) {
		spec.logLines ??= 10;
		spec.stuckFor ??= "10m";
		spec.suspendedFor ??= "24h";
		if (spec.events?.includes("Slow")) spec.slow ??= { timesUsual: 2 };
		if (spec.quietHours !== undefined) {
			spec.quietHours.action ||= "Hold";
			spec.quietHours.timeZone ||= "UTC";
		}
	},
	prepareForCreate(policy) {
		policy.status = {};
	},
	prepareForUpdate(policy, old) {
		policy.status = old.status ?? {};
	},
	validate: ({ spec }) => validateSpec(spec, "spec"),
};

function messageText(policy: NotificationPolicy): string {
	const wrong = policy.status?.conditions?.find(({ status }) => status === "False");
	return wrong?.message ?? wrong?.reason ?? "";
}
