/** APIServices of everything that the API server itself serves, apart from custom resources. */
import { usageResources, virtualResources } from "../../api/discovery/announced-resources.ts";
import { servedGroups } from "../../api/discovery/served.ts";
import { sameJson } from "../../core/equal.ts";
import type { Draft } from "../../core/object.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import { automanagedOf, localApiService } from "../../kinds/apiregistration/automanaged.ts";
import { catalog } from "../../kinds/catalog.ts";
import type { APIService } from "../../kinds/generated/types.ts";
import { type BuiltIn, builtIn } from "./built-in.ts";

/** Not of their own group, which no one else can serve. */
export function builtInApiServices(): BuiltIn[] {
	return servedGroups(catalog, [...virtualResources, ...usageResources])
		.filter(({ name }) => name !== apiServices.group)
		.flatMap(({ name: group, priority: groupPriorityMinimum, versions }) =>
			versions.map(({ version, priority: versionPriority }) =>
				builtIn(
					apiServices,
					localApiService({ group, version, groupPriorityMinimum, versionPriority }, "onstart"),
					mended,
				),
			),
		);
}

/** Users take one over when they take its label away. */
function mended(found: APIService, { spec }: Draft<APIService>): APIService | undefined {
	return automanagedOf(found) === undefined || sameJson(found.spec, spec) ? undefined : { ...found, spec };
}
