import { type KubeletDocument, readKubeletConfiguration } from "../../node/context/kubelet-configuration.ts";
import { readOptionFile } from "../files/option-file.ts";

/**
 * A KubeletConfiguration from a file, YAML or JSON.
 * @throws Error naming the file and what of it cannot be heeded
 */
export function readKubeletFile(path: string): KubeletDocument {
	const { document } = readOptionFile("--kubelet-config", path, readKubeletConfiguration);
	return typeof document === "object" && document !== null ? { ...document } : {};
}
