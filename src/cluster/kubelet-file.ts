import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";
import { type KubeletDocument, readKubeletConfiguration } from "../node/kubelet-configuration.ts";

/** It travels on a command line. */
const longestBytes = 64 * 1024;

/**
 * A KubeletConfiguration from a file, YAML or JSON.
 * @throws Error naming the file and what of it cannot be heeded
 */
export function readKubeletFile(path: string): KubeletDocument {
	try {
		if (statSync(path).size > longestBytes) throw new Error(`it has more than ${longestBytes} bytes`);
		const document: unknown = parse(readFileSync(path, "utf8"));
		readKubeletConfiguration(document);
		return typeof document === "object" && document !== null ? { ...document } : {};
	} catch (error) {
		throw new Error(`--kubelet-config ${path}: ${error instanceof Error ? error.message : error}`);
	}
}
