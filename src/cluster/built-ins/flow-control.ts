/** Priority levels, and the flow schemas that refer to them. */
import { sameJson } from "../../core/equal.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import { autoUpdate, bootstrapFlowSchemas, bootstrapPriorityLevels } from "../../kinds/flowcontrol/bootstrap.ts";
import { flowSchemas } from "../../kinds/flowcontrol/flowschema.ts";
import { priorityLevelConfigurations } from "../../kinds/flowcontrol/prioritylevelconfiguration.ts";
import { type BuiltIn, builtIn } from "./built-in.ts";

export const builtInFlowControl: readonly BuiltIn[] = [
	...bootstrapPriorityLevels.map((draft) => builtIn(priorityLevelConfigurations, draft, restored)),
	...bootstrapFlowSchemas.map((draft) => builtIn(flowSchemas, draft, restored)),
];

/** These two are always necessary; users may change the others by setting the annotation. */
const mandatory = new Set(["exempt", "catch-all"]);

function restored<T extends KubeObject & { spec: object }>(found: T, wanted: Draft<T>): T | undefined {
	const { name, annotations } = found.metadata;
	if (annotations?.[autoUpdate] !== "true" && !mandatory.has(name)) return undefined;
	return sameJson(found.spec, wanted.spec) ? undefined : { ...found, spec: wanted.spec };
}
