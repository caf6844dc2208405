/**
 * What the operator of a server configures for all namespaces (`PodSecurityConfiguration` of
 * pod-security.admission.config.k8s.io/v1).
 */
import type { Policy } from "./policy.ts";

export interface PodSecurityConfiguration {
	/** Of namespaces whose labels do not say. Default: privileged. */
	readonly defaults?: Policy;
	/** Users, namespaces and runtime classes that are exempt. */
	readonly exemptions?: {
		readonly usernames?: readonly string[];
		readonly runtimeClasses?: readonly string[];
		readonly namespaces?: readonly string[];
	};
}
