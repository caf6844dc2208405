import type { KubeObject } from "../../core/object.ts";
import { parseApiVersion } from "../../core/object.ts";
import type { ServedVersion } from "../engine/kind.ts";

/** The properties of a deprecated version. */
export interface OldVersion {
	/** `extensions/v1beta1` */
	apiVersion: string;
	kind: string;
	deprecatedIn: string;
	removedIn: string;
	/** `apps/v1` */
	current: string;
	schema?: string;
	/** Fills in defaults of the old version that differ, and removes fields that the current one lacks. In place. */
	toStorage?(object: KubeObject): void;
	fromStorage?(object: KubeObject): void;
}

/** A version that upstream no longer serves, but whose manifests still work here, with a warning. */
export function oldVersion(old: OldVersion): ServedVersion {
	const { group, version } = parseApiVersion(old.apiVersion);
	return {
		group,
		version,
		...(old.schema === undefined ? {} : { schema: old.schema }),
		deprecation:
			`${old.apiVersion} ${old.kind} is deprecated in ${old.deprecatedIn}+, unavailable in ${old.removedIn}+;` +
			` use ${old.current} ${old.kind}`,
		toStorage(object) {
			object.apiVersion = old.current;
			old.toStorage?.(object);
		},
		fromStorage(object) {
			object.apiVersion = old.apiVersion;
			old.fromStorage?.(object);
		},
	};
}
