/** What the status of a definition says of it: its names, whether it is served, and what is wrong with it. Pure. */
import { semanticEqual } from "../../core/equal.ts";
import type {
	CustomResourceDefinition,
	CustomResourceDefinitionNames,
	CustomResourceDefinitionStatus,
} from "../generated/types.ts";
import { approvalCondition } from "./approval.ts";
import { type Condition, conditionHolds, withCondition } from "./conditions.ts";
import { caBundleProblem } from "./validate-conversion.ts";

/** Names that are taken in a group, by other definitions. */
export interface TakenNames {
	/** Plurals, singulars and short names. */
	resources: ReadonlySet<string>;
	/** Kinds and kinds of lists. */
	kinds: ReadonlySet<string>;
}

/** The names of definitions of one group, as far as they have been accepted. */
export function takenNames(accepted: Iterable<CustomResourceDefinitionNames | undefined>): TakenNames {
	const resources = new Set<string>();
	const kinds = new Set<string>();
	for (const names of accepted) {
		if (names === undefined) continue;
		for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
		for (const name of [names.kind, names.listKind]) if (name) kinds.add(name);
	}
	return { resources, kinds };
}

/**
 * The status as it is to be; the very same when nothing is to be changed.
 * @param now RFC 3339
 */
export function settledStatus(
	definition: CustomResourceDefinition,
	taken: TakenNames,
	now: string,
): CustomResourceDefinitionStatus | undefined {
	const { spec } = definition;
	let { status } = definition;
	const set = (condition: Omit<Condition, "lastTransitionTime">) => {
		status = withCondition(status, { ...condition, lastTransitionTime: now });
	};
	const { names, conflict } = acceptedNames(spec.names, status?.acceptedNames, taken);
	if (!semanticEqual(names, status?.acceptedNames)) status = { ...status, acceptedNames: names };
	if (conflict === undefined)
		set({ type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" });
	else set({ type: "NamesAccepted", status: "False", ...conflict });
	if (!conditionHolds({ ...definition, status: status ?? {} }, "Established")) set(established(definition, conflict));
	const approval = approvalCondition(definition);
	if (approval !== undefined) set(approval);
	return status;
}

function established(
	{ spec }: CustomResourceDefinition,
	conflict: object | undefined,
): Omit<Condition, "lastTransitionTime"> {
	const condition = (status: "True" | "False", reason: string, message: string) =>
		({ type: "Established", status, reason, message }) as const;
	if (conflict !== undefined) return condition("False", "NotAccepted", "not all names are accepted");
	if (caBundleProblem(spec.conversion?.webhook?.clientConfig?.caBundle) !== undefined)
		return condition("False", "InvalidCABundle", "The conversion webhook CABundle is invalid");
	return condition("True", "InitialNamesAccepted", "the initial names have been accepted");
}

interface Conflict {
	reason: string;
	message: string;
}

/** Each name by itself is accepted unless another definition has it. Of several conflicts the last is told. */
function acceptedNames(
	requested: CustomResourceDefinitionNames,
	accepted: Partial<CustomResourceDefinitionNames> = {},
	taken: TakenNames,
): { names: CustomResourceDefinitionNames; conflict: Conflict | undefined } {
	let conflict: Conflict | undefined;
	const names: CustomResourceDefinitionNames = { plural: "", kind: "", ...accepted };
	const isFree = (name: string, mine: string | undefined, others: ReadonlySet<string>) =>
		name === mine || !others.has(name);
	const inUse = (name: string) => `${JSON.stringify(name)} is already in use`;
	const accept = (field: "plural" | "singular" | "kind" | "listKind", others: ReadonlySet<string>) => {
		const name = requested[field] ?? "";
		if (isFree(name, accepted[field], others)) names[field] = name;
		else conflict = { reason: `${field[0]?.toUpperCase()}${field.slice(1)}Conflict`, message: inUse(name) };
	};
	accept("plural", taken.resources);
	accept("singular", taken.resources);
	const mine = new Set(accepted.shortNames);
	const shortNames = requested.shortNames ?? [];
	const refused = shortNames.filter((name) => !mine.has(name) && taken.resources.has(name));
	if (refused.length > 0) {
		const texts = [...new Set(refused.map(inUse))];
		conflict = { reason: "ShortNamesConflict", message: texts.length === 1 ? texts.join() : `[${texts.join(", ")}]` };
	} else if (shortNames.length > 0) names.shortNames = shortNames;
	else delete names.shortNames;
	accept("kind", taken.kinds);
	accept("listKind", taken.kinds);
	if (requested.categories !== undefined) names.categories = requested.categories;
	else delete names.categories;
	return { names, conflict };
}
