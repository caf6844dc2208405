/** Creates a pod's sandbox and attaches it to the network. */
import { messageOf } from "../../core/errors.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Sandbox } from "../../runtime/runtime.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import { sandboxConfig } from "../context/sandbox-config.ts";
import type { PodAction } from "../pod/pod-action.ts";

type Create = Extract<PodAction, { do: "createSandbox" }>;

export async function createSandbox(managed: ManagedPod, { attempt, replaces }: Create): Promise<void> {
	const { context, runtimeState } = managed;
	const { runtime, network, node, configuration, clock } = context;
	if (replaces !== undefined) {
		managed.record("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
		await runtime.stopSandbox(replaces);
		runtimeState.setAddresses([]);
		await network?.detachPod(managed.uid);
	}
	try {
		const bounds = { clusterDomain: node.clusterDomain, pidsLimit: configuration.podPidsLimit };
		const sandbox = await runtime.createSandbox(sandboxConfig(managed.pod, attempt, bounds));
		await attach(managed, sandbox);
		runtimeState.sandboxCreated();
	} catch (error) {
		runtimeState.sandboxFailed(clock.now());
		managed.record("Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${messageOf(error)}`);
	}
}

async function attach({ context, runtimeState, pod, uid }: ManagedPod, sandbox: Sandbox): Promise<void> {
	const { network, node } = context;
	const { networkNamespace, config } = sandbox;
	if (config.hostNetwork) {
		runtimeState.setAddresses(node.addresses);
		return;
	}
	if (network === undefined || networkNamespace === undefined) return;
	const attached = await network.attachPod({ uid, namespacePath: networkNamespace, hostPorts: hostPorts(pod) });
	runtimeState.setAddresses(attached.addresses);
}

function hostPorts(pod: Pod) {
	return pod.spec.containers
		.flatMap(({ ports = [] }) => ports)
		.flatMap(({ hostPort, hostIP = "", containerPort, protocol = "TCP" }) => {
			if (hostPort === undefined || hostPort === 0) return [];
			const bound = hostIP === "" || hostIP === "0.0.0.0" ? {} : { hostAddress: hostIP };
			return [{ ...bound, hostPort, containerPort, protocol }];
		});
}
