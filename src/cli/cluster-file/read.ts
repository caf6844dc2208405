import { dirname, resolve } from "node:path";
import { readOptionFile } from "../../cluster/files/option-file.ts";
import { type DescribedCluster, describedCluster } from "../../cluster/settings/cluster-file.ts";

/**
 * A cluster described in a file; paths in it are relative to the file.
 * @param option that names the file, for errors
 * @throws Error that names the file and what is wrong, by field path
 */
export function readClusterFile(option: string, file: string): DescribedCluster {
	const { options, nodes } = readOptionFile(option, file, describedCluster).meaning;
	const { imageStore } = options;
	if (imageStore === undefined) return { options, nodes };
	return { options: { ...options, imageStore: resolve(dirname(file), imageStore) }, nodes };
}
