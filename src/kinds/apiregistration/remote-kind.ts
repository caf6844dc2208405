/** Resources that extension API servers serve, as far as controllers deal with them. */
import type { Kind, KindNames } from "../engine/kind.ts";

/** What is known of them. */
export interface RemoteResources {
	/** In namespaces, and can be listed and deleted together. */
	readonly namespaced: readonly Kind[];
	/** `wardle.example.com/v1alpha1`: group versions whose server does not say what it serves. */
	readonly stale: readonly string[];
}

export const noRemoteResources: RemoteResources = { namespaced: [], stale: [] };

/** For a client's paths; its objects are whatever their server makes of them. */
export function remoteKind(names: KindNames & { singular: string }): Kind {
	return {
		...names,
		shortNames: [],
		categories: [],
		namespaced: true,
		schema: "",
		subresources: {},
		hasGeneration: false,
		nameRule: "pathSegment",
		selectableFields: [],
		columns: [],
	};
}
