/** Kinds made of a definition: one for each served version, all of one resource. */
import { sameJson } from "../../core/equal.ts";
import { isReason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { customKind } from "../custom/kind.ts";
import { compareVersions } from "../custom/versions.ts";
import type { CustomForm, Kind, ServedVersion } from "../engine/kind.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types.ts";

/** What depends on more than the definition. */
export type Serving = Pick<CustomForm, "isTerminating" | "convert">;

/**
 * The kind of a definition's resource, in the version in which objects are stored where that is served, with its other
 * served versions. Undefined when no version is served.
 */
export function servedKind(definition: CustomResourceDefinition, serving: Serving): Kind | undefined {
	const { group, versions } = definition.spec;
	const storageVersion = versions.find(({ storage }) => storage)?.name ?? "";
	const kinds = new Map(versions.map(({ name }) => [`${group}/${name}`, resourceKind(definition, name)]));
	const { isTerminating, convert } = serving;
	const refresh = (object: KubeObject) => refreshed(kinds.get(object.apiVersion), object);
	const versionKind = ({ name, schema }: CustomResourceDefinitionVersion): Kind => {
		const kind = kinds.get(`${group}/${name}`) ?? resourceKind(definition, name);
		const prune = (object: KubeObject) => taken(kind, object, true);
		// The generated type has no index.
		const jsonSchema = () => schema?.openAPIV3Schema as Readonly<Record<string, unknown>> | undefined;
		return { ...kind, custom: { storageVersion, isTerminating, jsonSchema, refresh, prune, convert } };
	};
	const [main, ...others] = versions
		.filter((version) => version.served)
		.sort((a, b) => Number(b.storage) - Number(a.storage) || compareVersions(b.name, a.name))
		.map(versionKind);
	if (main === undefined || others.length === 0) return main;
	return { ...main, servedAs: others.map(servedVersion) };
}

/** A stored object, as the schema is now. */
function refreshed(kind: Kind | undefined, object: KubeObject): KubeObject {
	try {
		return taken(kind, object, false);
	} catch (error) {
		// Defaults that came later make it too large: it can still be read and deleted.
		if (isReason(error, "RequestEntityTooLarge")) return taken(kind, object, true);
		throw error;
	}
}

/** The object as the kind takes it; the very same when that is no other. @param partial without defaults */
function taken(kind: Kind | undefined, object: KubeObject, partial: boolean): KubeObject {
	// Objects are plain records.
	const result = kind?.decode?.(object as unknown as Record<string, unknown>, { partial }).object;
	return result === undefined || sameJson(result, object) ? object : result;
}

/** The resource with its objects as they are stored, in whatever version each is. */
export function storedKind(definition: CustomResourceDefinition): Kind {
	return resourceKind(definition, definition.spec.versions[0]?.name ?? "");
}

function resourceKind(definition: CustomResourceDefinition, version: string): Kind {
	const listKind = definition.status?.acceptedNames?.listKind;
	return {
		...customKind(definition, version),
		...(listKind !== undefined && { listKind }),
		finalizersOfAnyName: true,
		replacesOnlyKnown: true,
		prepareForStatusUpdate: keepMetadata,
	};
}

function servedVersion(kind: Kind): ServedVersion {
	const { group, version, deprecation } = kind;
	const setVersion = (object: KubeObject) => {
		object.apiVersion = `${group}/${version}`;
	};
	return {
		group,
		version,
		as: kind,
		...(deprecation !== undefined && { deprecation }),
		toStorage: setVersion,
		fromStorage: setVersion,
	};
}

/** A change of status changes no labels either, nor anything else of the metadata. */
function keepMetadata({ metadata }: KubeObject, old: KubeObject): void {
	for (const field of ["labels", "annotations", "ownerReferences", "finalizers"] as const) {
		const value = old.metadata[field];
		if (value === undefined) delete metadata[field];
		else Object.assign(metadata, { [field]: value });
	}
}
