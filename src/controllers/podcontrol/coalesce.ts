/**
 * How long changes of an object with this many pods are collected, in milliseconds (`Controller.coalesceMs`): 0 for
 * small ones, whose plans cost less than the delay; at most a quarter of a second for large ones.
 */
export function coalesceMsFor(podCount: number | undefined): number {
	return podCount === undefined || podCount < 64 ? 0 : Math.min(250, podCount / 20);
}
