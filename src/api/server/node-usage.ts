/** Resource usage of nodes and pods, as provided to the API server. */
export interface ContainerUsage {
	name: string;
	/** Billionths of a core. */
	cpuNanoCores: number;
	memoryBytes: number;
}

export interface PodUsage {
	name: string;
	namespace: string;
	uid: string;
	/** When it was read, and over how long until then the use of CPU was measured. */
	atMs: number;
	windowMs: number;
	containers: readonly ContainerUsage[];
}

export interface NodeUsage extends Omit<ContainerUsage, "name"> {
	name: string;
	atMs: number;
	windowMs: number;
	pods: readonly PodUsage[];
}
