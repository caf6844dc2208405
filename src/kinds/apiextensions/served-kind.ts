/** Kinds made of a definition: one for each served version, all of one resource. */
import type { KubeObject } from "../../core/object.ts";
import { customKind } from "../custom/kind.ts";
import { compareVersions } from "../custom/versions.ts";
import type { Kind, ServedVersion } from "../engine/kind.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";

/**
 * The kind of a definition's resource, in the version in which objects are stored where that is served, with its other
 * served versions. Undefined when no version is served.
 */
export function servedKind(definition: CustomResourceDefinition, isTerminating: () => boolean): Kind | undefined {
	const { versions } = definition.spec;
	const storageVersion = versions.find(({ storage }) => storage)?.name ?? "";
	const custom = { storageVersion, isTerminating };
	const served = versions
		.filter((version) => version.served)
		.sort((a, b) => Number(b.storage) - Number(a.storage) || compareVersions(b.name, a.name));
	const [main, ...others] = served.map(({ name }): Kind => ({ ...resourceKind(definition, name), custom }));
	if (main === undefined || others.length === 0) return main;
	return { ...main, servedAs: others.map(servedVersion) };
}

/** The resource with its objects as they are stored, in whatever version each is. */
export function storedKind(definition: CustomResourceDefinition): Kind {
	return resourceKind(definition, definition.spec.versions[0]?.name ?? "");
}

function resourceKind(definition: CustomResourceDefinition, version: string): Kind {
	return {
		...customKind(definition, version),
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
