import { type KubeletDocument, readKubeletConfiguration } from "../../node/context/kubelet-configuration.ts";
import { readOptionFile } from "../files/option-file.ts";

/**
 * A KubeletConfiguration from a file, YAML or JSON.
 * @throws Error that names the file and what is not supported
 */
export function readKubeletFile(path: string): KubeletDocument {
	const { document } = readOptionFile("--kubelet-config", path, readKubeletConfiguration);
	return typeof document === "object" && document !== null ? { ...document } : {};
}
