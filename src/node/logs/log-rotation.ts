/** Limits the size of container logs: a full log is renamed and a new one begun; a fixed number of old ones is kept. */
import { lstat, readdir, rename } from "node:fs/promises";
import { type Clock, type Timer, timestamp } from "../../core/time/clock.ts";
import { isCode } from "../../linux/descriptors.ts";
import { inParent } from "../../linux/no-links.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { KubeletConfiguration } from "../context/kubelet-configuration.ts";

export function keepLogsShort(
	{ runtime, clock }: { runtime: Runtime; clock: Clock },
	{ containerLogMaxBytes, containerLogMaxFiles, containerLogMonitorMs }: KubeletConfiguration,
): { stop(): void } {
	const limits = { bytes: containerLogMaxBytes, files: containerLogMaxFiles };
	let timer: Timer | undefined;
	let stopped = false;
	const schedule = () => {
		if (!stopped) timer = clock.after(containerLogMonitorMs, () => void look());
	};
	const look = async () => {
		try {
			for (const { id, state, config } of await runtime.listContainers()) {
				if (state === "running" && config.logPath !== "") await rotate(runtime, clock, id, config.logPath, limits);
			}
		} catch {
			// The runtime is temporarily unavailable, or a container was removed: the next check is soon.
		}
		schedule();
	};
	schedule();
	return {
		stop() {
			stopped = true;
			timer?.cancel();
		},
	};
}

/** Rotates the log if it is full. */
export async function rotate(
	runtime: Pick<Runtime, "reopenLog">,
	clock: Pick<Clock, "now">,
	id: string,
	path: string,
	limits: { bytes: number; files: number },
): Promise<void> {
	// 20260102-030405, upstream's format: the order of names is the order of ages.
	const at = timestamp(clock.now()).replaceAll(/[-:Z]/g, "").replace("T", "-");
	await inParent(path, async (parent, name) => {
		const found = await lstat(parent.at(name)).catch(() => undefined);
		if (found === undefined || !found.isFile() || found.size < limits.bytes) return;
		await rename(parent.at(name), parent.at(`${name}.${at}`));
		await runtime.reopenLog(id);
		const old = (await readdir(parent.path)).filter((other) => other.startsWith(`${name}.`)).sort();
		for (const other of old.slice(0, Math.max(old.length - (limits.files - 1), 0))) await parent.remove(other);
	}).catch((error: unknown) => {
		// A pod with access to the logs has replaced a directory: there is nothing to rotate.
		if (!isCode(error, "ENOENT", "ENOTDIR")) throw error;
	});
}
