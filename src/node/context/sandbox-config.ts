/** The runtime's configuration of a pod's sandbox. Pure. */
import type { Pod } from "../../kinds/generated/types.ts";
import type { SandboxConfig } from "../../runtime/runtime.ts";
import { containerLimits, resourcesAnnotation, resourcesKey } from "../pod/runtime-resources.ts";
import { podUidLabel } from "./runtime-view.ts";

const longestHostname = 63;

/** The host name inside the pod's containers, without domain. */
export function podHostname(pod: Pod): string {
	const { hostname, hostnameOverride } = pod.spec;
	const name = hostnameOverride ?? (hostname === undefined || hostname === "" ? pod.metadata.name : hostname);
	// A host name has at most 63 characters and does not end in a dash or dot.
	return name.slice(0, longestHostname).replace(/[-.]+$/, "");
}

/** `web-0.web.default.svc.cluster.local`; undefined for a pod without a subdomain. */
export function podDomainName(pod: Pod, clusterDomain: string): string | undefined {
	const { subdomain, hostnameOverride } = pod.spec;
	if (subdomain === undefined || subdomain === "" || hostnameOverride !== undefined) return undefined;
	return `${podHostname(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/** @param pidsLimit per pod; undefined: none */
export function sandboxConfig(
	pod: Pod,
	attempt: number,
	{ clusterDomain, pidsLimit }: { clusterDomain: string; pidsLimit?: number | undefined },
): SandboxConfig {
	const { metadata, spec } = pod;
	const { name, namespace = "default", uid } = metadata;
	const domainName = spec.setHostnameAsFQDN === true ? podDomainName(pod, clusterDomain) : undefined;
	if (domainName !== undefined && domainName.length > longestHostname + 1) {
		throw new Error(
			`Failed to construct FQDN from pod hostname and cluster domain, FQDN ${domainName} is too long (${longestHostname + 1} characters is the max, ${domainName.length} characters requested)`,
		);
	}
	return {
		podUid: uid,
		namespace,
		name,
		attempt,
		hostname: domainName ?? podHostname(pod),
		hostNetwork: spec.hostNetwork === true,
		hostPid: spec.hostPID === true,
		hostIpc: spec.hostIPC === true,
		sharePid: spec.shareProcessNamespace === true,
		...(spec.hostUsers === false ? { ownUsers: true } : {}),
		sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
		labels: {
			...metadata.labels,
			"io.kubernetes.pod.name": name,
			"io.kubernetes.pod.namespace": namespace,
			[podUidLabel]: uid,
		},
		annotations: {
			...metadata.annotations,
			...(spec.resources === undefined ? {} : { [resourcesAnnotation]: resourcesKey(spec.resources) }),
		},
		...(spec.resources === undefined ? {} : { cgroup: containerLimits(spec.resources) }),
		...(pidsLimit === undefined ? {} : { pidsLimit }),
	};
}
