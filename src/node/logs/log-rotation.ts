/** Keeps container logs short: a log that is full is renamed and a new one begun; so many old ones stay. */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Clock, type Timer, timestamp } from "../../core/clock.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { KubeletConfiguration } from "../kubelet-configuration.ts";

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
			// The runtime is away for the moment, or a container went: the next look is soon.
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
	const found = await stat(path).catch(() => undefined);
	if (found === undefined || found.size < limits.bytes) return;
	// 20260102-030405, as upstream names them: sorted by name they are sorted by age.
	const at = timestamp(clock.now()).replaceAll(/[-:Z]/g, "").replace("T", "-");
	await rename(path, `${path}.${at}`);
	await runtime.reopenLog(id);
	const old = (await readdir(dirname(path))).filter((name) => name.startsWith(`${basename(path)}.`)).sort();
	for (const name of old.slice(0, Math.max(old.length - (limits.files - 1), 0))) {
		await rm(join(dirname(path), name), { force: true });
	}
}
