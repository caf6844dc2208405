/**
 * The list of CustomResourceDefinitions, which is empty: none are served. kubectl asks for it before it creates a kind
 * that takes no patches, such as a TokenReview, and gives up when there is no answer.
 */
import type { ApiResponse } from "../../core/exchange.ts";
import type { ResourceInfo } from "../request/request-info.ts";
import type { Context } from "../server/server.ts";
import { objectResponse } from "../wire/respond.ts";

const list = {
	kind: "CustomResourceDefinitionList",
	apiVersion: "apiextensions.k8s.io/v1",
	metadata: { resourceVersion: "0" },
	items: [],
};

/** Undefined when the request is for something else. Discovery does not offer the list. */
export function serveCustomResources(context: Context, resource: ResourceInfo): Promise<ApiResponse> | undefined {
	const { group, version, plural, name } = resource;
	if (group !== "apiextensions.k8s.io" || version !== "v1" || plural !== "customresourcedefinitions") return undefined;
	if (context.info.verb !== "list" || name !== undefined) return undefined;
	return Promise.resolve(objectResponse(list));
}
