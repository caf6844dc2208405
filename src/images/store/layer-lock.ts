/**
 * Lets one process of the machine download a layer, and the others wait for it. flock(1) holds the lock as long as its
 * input is open: the kernel releases it when this process ends, however it ends.
 */
import { once } from "node:events";
import { spawnApart } from "../../linux/inherited.ts";
import { storeFile } from "./layout.ts";

/** Ends when its input does. */
const hold = "echo; exec cat >/dev/null";

/**
 * Runs `work` while no other process has the lock of this layer. The lock saves downloads, no more: without flock(1)
 * the work begins at once, because what appears first in a store stays.
 */
export async function withLayerLock<T>(
	store: string,
	diffId: string,
	signal: AbortSignal,
	work: () => Promise<T>,
): Promise<T> {
	signal.throwIfAborted();
	const child = spawnApart("flock", [storeFile.lock(store, diffId), "sh", "-c", hold], {
		stdio: ["pipe", "pipe", "ignore"],
	});
	const stop = () => child.kill("SIGKILL");
	signal.addEventListener("abort", stop, { once: true });
	try {
		const ended = once(child, "exit").catch(() => {});
		child.stdin?.on("error", () => {});
		await Promise.race([child.stdout === null ? ended : once(child.stdout, "data"), ended]);
		signal.throwIfAborted();
		return await work();
	} finally {
		signal.removeEventListener("abort", stop);
		child.stdin?.end();
	}
}
