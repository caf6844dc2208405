import { forgetData } from "../data/data-directories.ts";
import { deleteData } from "../data/data-entries.ts";
import type { Layout } from "../files/layout.ts";
import { stopCluster } from "./stop.ts";

/**
 * Stops a cluster and deletes everything that it made in its data directory.
 * @returns files of others, which stay
 */
export async function removeCluster(layout: Layout): Promise<readonly string[]> {
	await stopCluster(layout);
	const kept = await deleteData(layout.data);
	forgetData(layout.data);
	return kept;
}
