/** The locations of the agent's files, with upstream's names. Paths are absolute and the agent's own. */
import { join } from "node:path";
import type { Pod, Volume } from "../../kinds/generated/types.ts";

export interface Directories {
	/** The counterpart of upstream's /var/lib/kubelet. */
	root: string;
	/** The counterpart of /var/log. */
	logs: string;
	/** Root of the node's view of the file system; empty: the agent's own root. */
	view: string;
}

export function podDirectory({ root }: Directories, uid: string): string {
	return join(root, "pods", uid);
}

/** Directory of a volume that is created and removed with its pod. */
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
