import { type RemoteResources, remoteKind } from "../../kinds/apiregistration/remote-kind.ts";
import { apiVersionOf } from "../../kinds/engine/kind.ts";
import type { Description } from "./described.ts";

const needed = ["deletecollection", "list"];

/** The resources of extension API servers, as controllers need them. */
export function remoteResources(descriptions: readonly Description[]): RemoteResources {
	return {
		namespaced: descriptions.flatMap(({ group, version, resources }) =>
			resources
				.filter(({ scope, verbs }) => scope === "Namespaced" && needed.every((verb) => verbs.includes(verb)))
				.map(({ resource, singularResource, responseKind }) =>
					remoteKind({ group, version, plural: resource, kind: responseKind.kind, singular: singularResource }),
				),
		),
		stale: descriptions
			.filter(({ freshness }) => freshness === "Stale")
			.map(apiVersionOf)
			.sort(),
	};
}
