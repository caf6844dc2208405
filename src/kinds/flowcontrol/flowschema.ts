import { conditionOf } from "../../core/conditions.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { FlowSchema, FlowSchemaCondition } from "../generated/types.ts";
import { conditionsProblems } from "./conditions.ts";
import { flowSchemaProblems } from "./flowschema-validate.ts";

const defaultPrecedence = 1000;

export const flowSchemas: Kind<FlowSchema> = {
	group: "flowcontrol.apiserver.k8s.io",
	version: "v1",
	kind: "FlowSchema",
	plural: "flowschemas",
	singular: "flowschema",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "FlowSchema",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("PriorityLevel", "Where its requests belong.", ({ spec }) => spec.priorityLevelConfiguration?.name ?? ""),
		column("MatchingPrecedence", "The lowest counts.", ({ spec }) => spec.matchingPrecedence ?? 0, "integer"),
		column("DistinguisherMethod", "What tells its flows apart.", ({ spec }) => {
			return spec.distinguisherMethod?.type ?? "<none>";
		}),
		ageColumn,
		column("MissingPL", "Whether the priority level is missing.", ({ status }) => {
			return conditionOf({ status }, "Dangling")?.status ?? "?";
		}),
	],

	setDefaults(schema) {
		schema.spec.matchingPrecedence ||= defaultPrecedence;
		for (const rules of schema.spec.rules ?? [])
			for (const rule of rules.resourceRules ?? []) rule.clusterScope ??= false;
	},
	prepareForCreate(schema, { now, requester }) {
		delete schema.status;
		// The server creates its own schemas together with their levels.
		if (requester.name === "system:apiserver") schema.status = { conditions: [dangling(schema, true, now)] };
	},
	validate: flowSchemaProblems,
	validateStatusUpdate: ({ status }) => conditionsProblems(status?.conditions),
};

/** The Dangling condition of a schema, about its priority level. */
export function dangling({ spec }: FlowSchema, levelExists: boolean, now: string): FlowSchemaCondition {
	const level = JSON.stringify(spec.priorityLevelConfiguration.name);
	const what = `This FlowSchema references the PriorityLevelConfiguration object named ${level}`;
	return {
		type: "Dangling",
		status: levelExists ? "False" : "True",
		lastTransitionTime: now,
		reason: levelExists ? "Found" : "NotFound",
		message: levelExists ? `${what} and it exists` : `${what} but there is no such object`,
	};
}
