/** The paths of a kind's objects in the API (API concepts, "Resource URIs"). */
import type { KindNames } from "../kinds/engine/kind.ts";

/** `/api/v1`, or `/apis/apps/v1` for a named group. */
function groupPath(names: Pick<KindNames, "group" | "version">): string {
	return names.group === "" ? `/api/${names.version}` : `/apis/${names.group}/${names.version}`;
}

/** `/api/v1/namespaces/default/pods/web-0/status`; every part after the kind is optional, names are URL-encoded. */
export function resourcePath(
	names: Pick<KindNames, "group" | "version" | "plural">,
	namespace?: string,
	name?: string,
	subresource?: string,
): string {
	let path = groupPath(names);
	if (namespace !== undefined && namespace !== "") path += `/namespaces/${encodeURIComponent(namespace)}`;
	path += `/${names.plural}`;
	if (name !== undefined) path += `/${encodeURIComponent(name)}`;
	if (subresource !== undefined) path += `/${subresource}`;
	return path;
}
