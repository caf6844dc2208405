/** Lifecycle hooks: postStart and preStop (API page "Container Lifecycle Hooks"). */
import { messageOf } from "../../core/errors.ts";
import type { Container as ContainerSpec, LifecycleHandler, Pod } from "../../kinds/generated/types.ts";
import type { NodeContext } from "../context/node-context.ts";
import { execOutput, httpGet, portNumber, tcpProbe } from "./prober.ts";

export interface HookTarget {
	pod: Pod;
	container: ContainerSpec;
	/** Container ID in the runtime. */
	id: string;
	addresses: readonly string[];
}

/**
 * Runs one hook to its end.
 * @returns the error; undefined on success. Never throws: an aborted hook has failed
 */
export async function runHook(
	{ runtime, clock }: Pick<NodeContext, "runtime" | "clock">,
	{ container, id, addresses }: HookTarget,
	handler: LifecycleHandler,
	signal: AbortSignal,
): Promise<string | undefined> {
	try {
		if (handler.exec !== undefined) {
			const { exitCode, output } = await execOutput(runtime, id, handler.exec.command ?? [], signal);
			return exitCode === 0 ? undefined : `command exited with ${exitCode}: ${output}`;
		}
		if (handler.sleep !== undefined) {
			await clock.sleep(handler.sleep.seconds * 1000, signal);
			return undefined;
		}
		const address = addresses[0] ?? "127.0.0.1";
		if (handler.httpGet !== undefined) {
			// Any response is a success.
			await httpGet(address, container, handler.httpGet, signal, "kube-lifecycle/1.36");
			return undefined;
		}
		if (handler.tcpSocket !== undefined) {
			const { host = address, port } = handler.tcpSocket;
			const result = await tcpProbe(host, portNumber(container, port), signal);
			return result.ok ? undefined : result.message;
		}
		return "the hook has no handler";
	} catch (error) {
		return messageOf(error);
	}
}
