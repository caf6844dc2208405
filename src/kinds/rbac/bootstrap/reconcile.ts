/** The rules or subjects that an existing role or binding lacks. Additions by users are kept. Pure. */
import type { Draft, KubeObject } from "../../../core/object.ts";
import type { ClusterRole, ClusterRoleBinding, RbacSubject, Role, RoleBinding } from "../../generated/types.ts";
import { compactRules, uncoveredRules } from "../covers.ts";
import { autoUpdateAnnotation } from "./make.ts";

type AnyRole = ClusterRole | Role;
type AnyBinding = ClusterRoleBinding | RoleBinding;

/** The role with its missing rules; undefined if nothing is missing or it must not be changed. */
export function reconciledRole<T extends AnyRole>(found: T, wanted: Draft<T>): T | undefined {
	if (isLeftAlone(found)) return undefined;
	// A controller sets the rules of aggregated roles.
	const wantedRules = selectorsOf(wanted).length > 0 ? [] : (wanted.rules ?? []);
	const missingRules = compactRules(uncoveredRules(found.rules ?? [], wantedRules));
	const selectors = missingSelectors(found, wanted);
	const metadata = withDefaults(found, wanted);
	if (missingRules.length === 0 && selectors.length === 0 && metadata === found.metadata) return undefined;
	return {
		...found,
		metadata,
		...(missingRules.length > 0 && { rules: [...(found.rules ?? []), ...missingRules] }),
		...(selectors.length > 0 && {
			aggregationRule: { clusterRoleSelectors: [...selectorsOf(found), ...selectors] },
		}),
	};
}

/** `replace`: it grants another role, which an update of a binding may not change. */
export function reconciledBinding<T extends AnyBinding>(found: T, wanted: Draft<T>): T | "replace" | undefined {
	if (isLeftAlone(found)) return undefined;
	const { roleRef } = found;
	if (roleRef.kind !== wanted.roleRef.kind || roleRef.name !== wanted.roleRef.name) return "replace";
	const held = new Set((found.subjects ?? []).map(subjectKey));
	const missing = (wanted.subjects ?? []).filter((subject) => !held.has(subjectKey(subject)));
	const metadata = withDefaults(found, wanted);
	if (missing.length === 0 && metadata === found.metadata) return undefined;
	return { ...found, metadata, ...(missing.length > 0 && { subjects: [...(found.subjects ?? []), ...missing] }) };
}

function isLeftAlone({ metadata }: KubeObject): boolean {
	return metadata.annotations?.[autoUpdateAnnotation] === "false";
}

/** The same metadata object if every label and annotation is set already. */
function withDefaults<T extends KubeObject>(found: T, wanted: Draft<T>): T["metadata"] {
	const { metadata } = found;
	const lacks = (has: Record<string, string> = {}, wants: Record<string, string> = {}) =>
		Object.keys(wants).some((key) => !Object.hasOwn(has, key));
	const { labels, annotations } = wanted.metadata;
	if (!lacks(metadata.labels, labels) && !lacks(metadata.annotations, annotations)) return metadata;
	return {
		...metadata,
		labels: { ...labels, ...metadata.labels },
		annotations: { ...annotations, ...metadata.annotations },
	};
}

function selectorsOf(role: AnyRole | Draft<AnyRole>) {
	return ("aggregationRule" in role ? role.aggregationRule?.clusterRoleSelectors : undefined) ?? [];
}

function missingSelectors(found: AnyRole, wanted: Draft<AnyRole>) {
	const held = new Set(selectorsOf(found).map((selector) => JSON.stringify(selector)));
	return selectorsOf(wanted).filter((selector) => !held.has(JSON.stringify(selector)));
}

function subjectKey({ kind, name, namespace = "" }: RbacSubject): string {
	return `${kind}/${namespace}/${name}`;
}
