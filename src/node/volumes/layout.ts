/** Where the agent keeps things, with upstream's names. Paths are the agent's own, absolute. */
import { join } from "node:path";
import type { Pod, Volume } from "../../kinds/generated/types.ts";

export interface Directories {
	/** As upstream's /var/lib/kubelet. */
	root: string;
	/** As /var/log. */
	logs: string;
	/** Where the node's own view of the file system stands; empty: it is the agent's. */
	view: string;
}

export function podDirectory({ root }: Directories, uid: string): string {
	return join(root, "pods", uid);
}

/** Directory of a volume that lives and dies with its pod. */
export function volumeDirectory(directories: Directories, uid: string, volume: Volume): string {
	const plugin =
		volume.emptyDir !== undefined
			? "empty-dir"
			: volume.configMap !== undefined
				? "configmap"
				: volume.secret !== undefined
					? "secret"
					: volume.projected !== undefined
						? "projected"
						: "downward-api";
	return join(podDirectory(directories, uid), "volumes", `kubernetes.io~${plugin}`, volume.name);
}

export function containerDirectory(directories: Directories, uid: string, container: string): string {
	return join(podDirectory(directories, uid), "containers", container);
}

export function podLogDirectory({ logs }: Directories, { metadata }: Pod): string {
	return join(logs, "pods", `${metadata.namespace}_${metadata.name}_${metadata.uid}`);
}

export function containerLogPath(directories: Directories, pod: Pod, container: string, attempt: number): string {
	return join(podLogDirectory(directories, pod), container, `${attempt}.log`);
}

/** `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log` */
export function containerLogLink({ logs }: Directories, { metadata }: Pod, container: string, id: string): string {
	return join(logs, "containers", `${metadata.name}_${metadata.namespace}_${container}-${id}.log`);
}
