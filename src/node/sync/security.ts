/**
 * The security settings of a container: the pod's, overridden by its own (API page "Configure a Security Context").
 * Pure.
 */
import type { Container as ContainerSpec, Pod } from "../../kinds/generated/types.ts";
import type { ContainerConfig, Image } from "../../runtime/runtime.ts";
import type { KubeletConfiguration } from "../context/kubelet-configuration.ts";
import { ConfigError } from "../context/node-context.ts";

/**
 * @param defaults for pods that do not specify them
 * @throws ConfigError if the container must not run as root and would, or requests something that a node cannot provide
 */
export function containerSecurity(
	pod: Pod,
	container: ContainerSpec,
	image: Image,
	defaults: Pick<KubeletConfiguration, "seccompDefault">,
): ContainerConfig["security"] {
	const shared = pod.spec.securityContext ?? {};
	const own = container.securityContext ?? {};
	const imageUser = numericUser(image.user);
	const runAsUser = own.runAsUser ?? shared.runAsUser ?? imageUser;
	const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
	const privileged = own.privileged === true;
	if (own.runAsNonRoot ?? shared.runAsNonRoot) requireNonRoot(pod, container, runAsUser, image);
	const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
	const { add = [], drop = [] } = own.capabilities ?? {};
	const seccompProfile = profileName(own.seccompProfile ?? shared.seccompProfile);
	const seccompDefault = defaults.seccompDefault ? "RuntimeDefault" : "Unconfined";
	const appArmorProfile = profileName(own.appArmorProfile ?? shared.appArmorProfile);
	return {
		...(runAsUser === undefined ? {} : { runAsUser }),
		...(runAsGroup === undefined ? {} : { runAsGroup }),
		supplementalGroups: [...new Set(groups)],
		...(shared.supplementalGroupsPolicy === "Strict" ? { supplementalGroupsPolicy: "Strict" } : {}),
		privileged,
		...(own.procMount === "Unmasked" && pod.spec.hostUsers === false ? { unmaskedProc: true } : {}),
		readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
		capabilities: { add, drop },
		noNewPrivileges: own.allowPrivilegeEscalation === false && !privileged,
		// As in the CRI: a privileged container is unconfined.
		seccompProfile: privileged ? "Unconfined" : (seccompProfile ?? seccompDefault),
		...(appArmorProfile === undefined ? {} : { appArmorProfile }),
	};
}

function profileName(profile: { type: string; localhostProfile?: string } | undefined): string | undefined {
	return profile?.type === "Localhost" ? `Localhost/${profile.localhostProfile ?? ""}` : profile?.type;
}

function requireNonRoot(pod: Pod, container: ContainerSpec, user: number | undefined, image: Image): void {
	const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
	if (user === 0) {
		const set = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
		throw new ConfigError(
			set === 0
				? `container's runAsUser breaks non-root policy ${where}`
				: `container has runAsNonRoot and image will run as root ${where}`,
		);
	}
	if (user !== undefined) return;
	throw new ConfigError(
		image.user === undefined || image.user === ""
			? `container has runAsNonRoot and image will run as root ${where}`
			: `container has runAsNonRoot and image has non-numeric user (${image.user}), cannot verify user is non-root ${where}`,
	);
}

function numericUser(user: string | undefined): number | undefined {
	const name = user?.split(":")[0];
	return name !== undefined && /^\d+$/.test(name) ? Number(name) : undefined;
}
