/** Reads the evidence about one namespace, or about each, with a client. */
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
import { namespaces } from "../kinds/core/namespace.ts";
import { nodes } from "../kinds/core/node.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { services } from "../kinds/networking/service.ts";
import { pods } from "../kinds/pod/pod.ts";
import { persistentVolumeClaims } from "../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../kinds/storage/storageclass.ts";
import type { Evidence } from "./findings/evidence.ts";

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

/**
 * What the user may not list is empty.
 * @throws ApiError other than `Forbidden`
 */
export async function gather(client: Client, namespace: string, nowMs: number): Promise<Evidence> {
	return evidenceOf(namespace, nowMs, await listAll(client, { namespace }));
}

/** The evidence about each namespace; what the user may not list in all of them is empty. */
export async function gatherAll(client: Client, nowMs: number): Promise<Evidence[]> {
	const [lists, spaces] = await Promise.all([listAll(client, {}), client.list(namespaces)]);
	const bySpace = lists.map(([name, items]) => [name, groupedBySpace(items)] as const);
	return spaces.items.map(({ metadata: { name: space } }) =>
		evidenceOf(
			space,
			nowMs,
			bySpace.map(([name, of]) => [name, of.get(space) ?? of.get(clusterScoped) ?? []]),
		),
	);
}

type Lists = readonly (readonly [name: string, objects: readonly KubeObject[]])[];

function listAll(client: Client, within: { namespace?: string }): Promise<Lists> {
	const list = async (kind: Kind): Promise<readonly KubeObject[]> => {
		try {
			return (await client.list(kind, kind.namespaced ? within : {})).items;
		} catch (error) {
			if (error instanceof ApiError && error.reason === "Forbidden") return [];
			throw error;
		}
	};
	return Promise.all(Object.entries(kinds).map(async ([name, kind]) => [name, await list(kind as Kind)] as const));
}

const clusterScoped = "";

function groupedBySpace(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject[]> {
	const groups = new Map<string, KubeObject[]>();
	for (const object of objects) {
		const { namespace = clusterScoped } = object.metadata;
		const group = groups.get(namespace);
		if (group === undefined) groups.set(namespace, [object]);
		else group.push(object);
	}
	return groups;
}

function evidenceOf(namespace: string, nowMs: number, lists: Lists): Evidence {
	// The names are those of the fields, whose kinds stand beside them above.
	return { namespace, nowMs, ...Object.fromEntries(lists) } as unknown as Evidence;
}
