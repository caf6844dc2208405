/**
 * Milliseconds in which changes of an object with this many pods may gather (`Controller.coalesceMs`): nothing for the
 * small ones, whose plans cost less than the wait; at most a quarter of a second for the large.
 */
export function coalesceMsFor(podCount: number | undefined): number {
	return podCount === undefined || podCount < 64 ? 0 : Math.min(250, podCount / 20);
}
