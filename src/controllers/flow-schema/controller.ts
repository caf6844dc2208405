/**
 * Sets on each FlowSchema whether its priority level exists (Kubernetes documentation, "API Priority and Fairness").
 */
import { timestamp } from "../../core/time/clock.ts";
import { dangling, flowSchemas } from "../../kinds/flowcontrol/flowschema.ts";
import { priorityLevelConfigurations } from "../../kinds/flowcontrol/prioritylevelconfiguration.ts";
import type { FlowSchema } from "../../kinds/generated/types.ts";
import { updateStatus } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

interface State {
	schema: FlowSchema;
	levelExists: boolean;
}

export const flowSchemaController: Controller<State> = {
	name: "flow-schema",
	component: "flow-schema-controller",
	watches: [
		watchRule(flowSchemas, (current) => (current === undefined ? [] : [current.metadata.name])),
		watchRule(
			priorityLevelConfigurations,
			(current, old, informers) => {
				// Only its existence matters.
				if ((current === undefined) === (old === undefined)) return [];
				const name = (current ?? old)?.metadata.name;
				const schemas = [...informers.of(flowSchemas).list()];
				return schemas
					.filter(({ spec }) => spec.priorityLevelConfiguration.name === name)
					.map(({ metadata }) => metadata.name);
			},
			{ expectations: false },
		),
	],
	gather(name, informers) {
		const schema = informers.of(flowSchemas).get(undefined, name);
		if (schema === undefined) return undefined;
		const level = schema.spec.priorityLevelConfiguration.name;
		return { schema, levelExists: informers.of(priorityLevelConfigurations).get(undefined, level) !== undefined };
	},
	plan({ schema, levelExists }, { nowMs }) {
		const conditions = schema.status?.conditions ?? [];
		const next = dangling(schema, levelExists, timestamp(nowMs));
		if (conditions.find(({ type }) => type === next.type)?.status === next.status) return { actions: [] };
		const others = conditions.filter(({ type }) => type !== next.type);
		return { actions: [updateStatus(flowSchemas, { ...schema, status: { conditions: [...others, next] } })] };
	},
};
