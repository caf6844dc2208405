/** Reads the evidence about a namespace with a client. */
import type { Client } from "../client/client.ts";
import { ApiError } from "../core/errors.ts";
import type { KubeObject } from "../core/object.ts";
import { daemonSets } from "../kinds/apps/daemonset.ts";
import { deployments } from "../kinds/apps/deployment.ts";
import { replicaSets } from "../kinds/apps/replicaset.ts";
import { statefulSets } from "../kinds/apps/statefulset.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import { jobs } from "../kinds/batch/job.ts";
import { events } from "../kinds/core/event.ts";
import { nodes } from "../kinds/core/node.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { services } from "../kinds/networking/service.ts";
import { pods } from "../kinds/pod/pod.ts";
import { persistentVolumeClaims } from "../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../kinds/storage/storageclass.ts";
import type { Evidence } from "./findings/evidence.ts";

/**
 * What the user may not list is empty.
 * @throws ApiError other than `Forbidden`
 */
export async function gather(client: Client, namespace: string, nowMs: number): Promise<Evidence> {
	const list = async <T extends KubeObject>(kind: Kind<T>): Promise<readonly T[]> => {
		try {
			return (await client.list(kind, kind.namespaced ? { namespace } : {})).items;
		} catch (error) {
			if (error instanceof ApiError && error.reason === "Forbidden") return [];
			throw error;
		}
	};
	const kinds = {
		pods,
		events,
		claims: persistentVolumeClaims,
		services,
		statefulSets,
		deployments,
		daemonSets,
		replicaSets,
		jobs,
		cronJobs,
		nodes,
		storageClasses,
	};
	const lists = await Promise.all(
		Object.entries(kinds).map(async ([name, kind]) => [name, await list<KubeObject>(kind as Kind)] as const),
	);
	// The names are those of the fields, whose kinds stand beside them above.
	return { namespace, nowMs, ...Object.fromEntries(lists) } as unknown as Evidence;
}
