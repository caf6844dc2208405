/** Builds the runtime's configuration of one container. */
import type { Pod, Service } from "../../kinds/generated/types.ts";
import { type ContainerConfig, runsToCompletionAnnotation } from "../../runtime/runtime.ts";
import { ConfigError, type ContainerStart, type NodeContext } from "../context/node-context.ts";
import { podUidLabel } from "../context/runtime-view.ts";
import { expand } from "../pod/environment/expansion.ts";
import type { PodContainer } from "../pod/pod-state.ts";
import { containerLimits, oomScoreAdj, resourcesAnnotation, resourcesKey } from "../pod/runtime-resources.ts";
import { containerEnvironment } from "./environment.ts";
import { containerSecurity } from "./security.ts";

/** Annotation of a container: its pod's grace period, for containers whose pod no longer exists. */
export const graceAnnotation = "io.kubernetes.pod.terminationGracePeriod";

type Context = Pick<NodeContext, "node" | "configuration" | "references" | "services" | "files">;

/** @throws ConfigError */
export async function makeContainerConfig(
	context: Context,
	pod: Pod,
	{ spec, role }: PodContainer,
	start: ContainerStart,
): Promise<ContainerConfig> {
	const { node, references, services, files } = context;
	const { namespace = "default", name: podName, uid } = pod.metadata;
	refuseUnsupported(pod, spec.name, spec.volumeDevices);
	const kubernetes = named(services("default"), "kubernetes");
	const fields = {
		nodeName: node.name,
		hostAddresses: node.addresses,
		podAddresses: start.addresses,
		allocatable: node.allocatable,
	};
	const env = await containerEnvironment(pod, spec, {
		references,
		services: services(namespace),
		kubernetes,
		fields,
		text: files && ((volume, path) => files.text(pod, volume, path)),
	});
	const lookUp = (wanted: string) => env.find(({ name }) => name === wanted)?.value;
	const { attempt, addresses, volumeImages } = start;
	const runsToCompletion = role === "init" || (role === "regular" && pod.spec.restartPolicy !== "Always");
	const mounts = await files?.mounts(pod, spec, { attempt, addresses, volumeImages, env });
	return {
		name: spec.name,
		attempt,
		image: spec.image ?? "",
		imageId: start.image.id,
		...(spec.command === undefined ? {} : { command: spec.command.map((part) => expand(part, lookUp)) }),
		...(spec.args === undefined ? {} : { args: spec.args.map((part) => expand(part, lookUp)) }),
		...(spec.workingDir === undefined || spec.workingDir === "" ? {} : { workingDir: spec.workingDir }),
		env,
		mounts: mounts ?? [],
		tty: spec.tty === true,
		stdin: spec.stdin === true,
		stdinOnce: spec.stdinOnce === true,
		logPath: files?.logPath(pod, spec.name, attempt) ?? "",
		security: containerSecurity(pod, spec, start.image, context.configuration),
		limits: containerLimits(spec.resources, role === "ephemeral" ? undefined : pod),
		oomScoreAdj: oomScoreAdj(pod, spec, node.allocatable.get("memory") ?? 0),
		...(spec.lifecycle?.stopSignal === undefined ? {} : { stopSignal: spec.lifecycle.stopSignal }),
		...(start.targetId === undefined ? {} : { targetId: start.targetId }),
		labels: {
			"io.kubernetes.container.name": spec.name,
			"io.kubernetes.pod.name": podName,
			"io.kubernetes.pod.namespace": namespace,
			[podUidLabel]: uid,
		},
		annotations: {
			[resourcesAnnotation]: resourcesKey(spec.resources),
			[runsToCompletionAnnotation]: String(runsToCompletion),
			[graceAnnotation]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
			"io.kubernetes.container.terminationMessagePath": spec.terminationMessagePath ?? "/dev/termination-log",
			"io.kubernetes.container.terminationMessagePolicy": spec.terminationMessagePolicy ?? "File",
		},
	};
}

function named(services: Iterable<Service>, name: string): Service | undefined {
	for (const service of services) if (service.metadata.name === name) return service;
	return undefined;
}

function refuseUnsupported(pod: Pod, name: string, devices: readonly object[] | undefined): void {
	const refused = (what: string) => new ConfigError(`container ${name}: ${what} is not supported by this node`);
	if (devices !== undefined && devices.length > 0) throw refused("volumeDevices");
	if ((pod.spec.runtimeClassName ?? "") !== "") throw refused(`runtimeClassName ${pod.spec.runtimeClassName}`);
}
