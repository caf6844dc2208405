/** Who is who: the users that the parts of a cluster act as. Their roles are in api/access. */
import { nodeUser } from "../api/access/node/node-identity.ts";
import type { User } from "../core/exchange.ts";

export { nodeUser };

const namespace = "kube-system";

/** @param name of the account in kube-system */
export function serviceAccount(name: string): User {
	return {
		name: `system:serviceaccount:${namespace}:${name}`,
		groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
	};
}

function component(name: string): User {
	return { name, groups: ["system:authenticated"] };
}

/** Every node's service proxy: reads services, their endpoints and nodes. */
export const serviceProxy = component("system:kube-proxy");
/** Every node's DNS server. */
export const dnsServer = serviceAccount("coredns");
