/** The usage of a node, its pods and their containers: one reading, which all reports use. */
import type { Pod } from "../../kinds/generated/types.ts";
import type { NodeContext } from "../context/node-context.ts";
import type { MachineMeter, MachineUsage } from "../machine/machine-usage.ts";
import { type InterfaceTraffic, readPodTraffic } from "../machine/pod-traffic.ts";

export interface Usage {
	atMs: number;
	nodeName: string;
	/** Absent on a simulated node. */
	machine?: MachineUsage;
	pods: readonly PodUsage[];
}

export interface PodUsage extends Amount {
	name: string;
	namespace: string;
	uid: string;
	/** RFC 3339; undefined before the pod has started. */
	startTime?: string;
	containers: readonly ContainerUsage[];
	/** Of the pod's own interfaces; absent if it has none of its own, and on simulated nodes. */
	traffic?: readonly InterfaceTraffic[];
}

export interface ContainerUsage extends Amount {
	id: string;
	name: string;
	image: string;
	startedAtMs: number;
}

export interface Amount {
	/** Since the start. */
	cpuNanoseconds: number;
	memoryBytes: number;
}

/** Of running containers; a pod's usage is the sum of theirs. */
export async function readUsage(
	{ runtime, view, node, clock }: Pick<NodeContext, "runtime" | "view" | "node" | "clock">,
	pods: Iterable<Pod>,
	meter: MachineMeter | undefined,
): Promise<Usage> {
	const [stats, machine] = await Promise.all([runtime.stats(), meter?.read()]);
	const byContainer = new Map(stats.map((amount) => [amount.containerId, amount]));
	const podUsages = [...pods].map(async ({ metadata, status }): Promise<PodUsage> => {
		const { name, namespace = "", uid } = metadata;
		const containers = view.of(uid).containers.flatMap(({ id, config, startedAtMs, createdAtMs }): ContainerUsage[] => {
			const amount = byContainer.get(id);
			if (amount === undefined) return [];
			const { cpuNanoseconds, memoryBytes } = amount;
			const image = config.image;
			return [{ id, name: config.name, image, startedAtMs: startedAtMs ?? createdAtMs, cpuNanoseconds, memoryBytes }];
		});
		const startTime = status?.startTime;
		const networkNamespace = view.of(uid).sandboxes.find(({ state }) => state === "ready")?.networkNamespace;
		const traffic =
			meter === undefined || networkNamespace === undefined ? undefined : await readPodTraffic(networkNamespace);
		return {
			name,
			namespace,
			uid,
			...(startTime === undefined ? {} : { startTime }),
			containers,
			...(traffic === undefined ? {} : { traffic }),
			...total(containers),
		};
	});
	const read = await Promise.all(podUsages);
	return { atMs: clock.now(), nodeName: node.name, ...(machine === undefined ? {} : { machine }), pods: read };
}

export function total(amounts: readonly Amount[]): Amount {
	let [cpuNanoseconds, memoryBytes] = [0, 0];
	for (const amount of amounts) {
		cpuNanoseconds += amount.cpuNanoseconds;
		memoryBytes += amount.memoryBytes;
	}
	return { cpuNanoseconds, memoryBytes };
}
