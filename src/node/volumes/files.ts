import type { NodeContext, PodFiles } from "../node-context.ts";

export function createFiles(
	_context: NodeContext,
	_directories: { root: string; logs: string; resolvConf?: string },
): { files: PodFiles; maintenance: { stop(): void } } {
	throw new Error("not there yet");
}
