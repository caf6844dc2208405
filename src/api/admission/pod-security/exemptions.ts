/** How the operator's configuration of Pod Security applies to a request: defaults and exemptions. */
import type { Pod } from "../../../kinds/generated/types.ts";
import { type Policy, privilegedPolicy } from "../../pod-security/policy.ts";
import type { AdmissionAttributes, Server } from "../../server/server.ts";

/** The same object for each call. */
export function defaultsOf({ options }: Server): Policy {
	return options.podSecurity?.defaults ?? privilegedPolicy;
}

export function isExemptNamespace({ options }: Server, name: string): boolean {
	return options.podSecurity?.exemptions?.namespaces?.includes(name) ?? false;
}

export function isExemptRuntimeClass({ options }: Server, { spec }: Pick<Pod, "spec">): boolean {
	const name = spec.runtimeClassName ?? "";
	return name !== "" && (options.podSecurity?.exemptions?.runtimeClasses?.includes(name) ?? false);
}

/** Which exemption applies to the request, before its pod is evaluated. */
export function exemption({ server, namespace = "", user }: AdmissionAttributes): "namespace" | "user" | undefined {
	if (isExemptNamespace(server, namespace)) return "namespace";
	return server.options.podSecurity?.exemptions?.usernames?.includes(user.name) ? "user" : undefined;
}
