/** The list of authorizers, in the order in which they are asked. */
import type { WatchCache } from "../cache/cache.ts";
import { type Authorizer, union } from "../request/authorizer.ts";
import { everything, masters } from "./masters.ts";
import { NodeGraph } from "./node/graph.ts";
import { nodeAuthorizer } from "./node/node-authorizer.ts";
import { roleAuthorizer } from "./rbac/authorizer.ts";
import type { RolePolicy } from "./rbac/policy.ts";

export interface AuthorizerParts {
	cache: WatchCache;
	policy: RolePolicy;
	/** Nobody decides. */
	allowsEverything: boolean;
}

export function createAuthorizer({ cache, policy, allowsEverything }: AuthorizerParts): Authorizer {
	if (allowsEverything) return everything;
	return union([masters, nodeAuthorizer(new NodeGraph(cache)), roleAuthorizer(policy)]);
}
