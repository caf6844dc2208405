/**
 * The identities of a cluster's components. Only the administrator, and the server itself while it starts, are in
 * system:masters; roles determine the permissions of the others, most of them upstream's (kinds/rbac/bootstrap).
 */
import { apiServerUser } from "../../api/access/masters.ts";
import { nodeUser } from "../../api/access/node/node-identity.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import type { User } from "../../core/exchange.ts";
import { clusterAccounts } from "../../kinds/rbac/bootstrap/cluster-roles.ts";

export { nodeUser };

const systemNamespace = "kube-system";
const authenticated = "system:authenticated";

/** @param name of the account in kube-system */
export function serviceAccount(name: string): User {
	return {
		name: `system:serviceaccount:${systemNamespace}:${name}`,
		groups: ["system:serviceaccounts", `system:serviceaccounts:${systemNamespace}`, authenticated],
	};
}

function component(name: string): User {
	return { name, groups: [authenticated] };
}

function master(name: string): User {
	return { name, groups: ["system:masters", authenticated] };
}

/** The server itself, for the initial objects of a cluster. */
export const apiServer = apiServerUser;
/** The administrator of a cluster: the kubeconfig's user, and the client of an embedded cluster. */
export const administrator = master("kubernetes-admin");

/** The user whose watches the controllers and the scheduler share. */
export const controllerManager = component("system:kube-controller-manager");
export const scheduler = component("system:kube-scheduler");
/** Every node's service proxy. */
export const serviceProxy = component("system:kube-proxy");
/** Every node's DNS server. */
export const dnsServer = serviceAccount(clusterAccounts.dns);
/** Writes the Events of controllers and scheduler. */
export const eventRecorder = serviceAccount(clusterAccounts.eventRecorder);
/** Serves kube-state-metrics in each node. */
export const stateMetrics = serviceAccount(clusterAccounts.stateMetrics);
/** Every node's network policies. */
export const networkPolicies = serviceAccount(clusterAccounts.networkPolicies);
/** Serves Ingresses. */
export const ingressController = serviceAccount(clusterAccounts.ingress);
/** Reads the usage of pods and nodes from agents. */
export const metricsReader = serviceAccount(clusterAccounts.metrics);
/** Reads the Secrets of notification policies and the ends of logs, and writes their status. */
export const notifications = serviceAccount(clusterAccounts.notifications);
/** `cox` in the server: waits for nodes, labels them, and removes the Node objects of removed ones. */
export const cox = serviceAccount(clusterAccounts.cox);
/** Watches for all simulated nodes of a process. Each node writes with its own identity. */
export const simulatedNodes = serviceAccount(clusterAccounts.simulatedNodes);

export const controllerManagerName = "kube-controller-manager";

/** The name in the managedFields of a component's writes, up to the first slash, and in the audit log. */
export function userAgentOf({ name }: User): string {
	if (name === apiServer.name) return "kube-apiserver";
	if (name === controllerManager.name || name === eventRecorder.name) return controllerManagerName;
	if (name === scheduler.name) return "kube-scheduler";
	return `coxswain/${name}`;
}

export function controllerUser({ account, component: name }: Pick<Controller<unknown>, "account" | "component">): User {
	return account?.includes(":") === true ? component(account) : serviceAccount(account ?? name);
}

/** Names of the accounts in kube-system that these controllers, and the other components of a cluster, use. */
export function systemAccounts(controllers: readonly Controller<unknown>[]): string[] {
	const names = controllers
		.map(({ account, component: name }) => account ?? name)
		.filter((name) => !name.includes(":"));
	return [...new Set([...names, ...Object.values(clusterAccounts)])].sort();
}

/**
 * Whether the user is a component of the cluster, whose requests should never be denied.
 * @param accounts from `systemAccounts`
 */
export function isPartOfCluster({ name }: User, accounts: readonly string[]): boolean {
	// Administrators remove its permission if pods should not read its metrics.
	if (name === stateMetrics.name) return false;
	if ([controllerManager, scheduler, serviceProxy].some((part) => part.name === name)) return true;
	return name.startsWith("system:node:") || accounts.some((account) => serviceAccount(account).name === name);
}

/** A user by name, with the groups that every user, or every service account, with that name has. */
export function namedUser(name: string, groups: readonly string[]): User {
	const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name) ?? [];
	const own = namespace === undefined ? [] : ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
	return { name, groups: [...new Set([...groups, ...own, authenticated])] };
}
