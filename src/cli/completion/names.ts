/** Names for completion, from the running cluster or its data directory. */
import { connect } from "../../cluster/control/connect.ts";
import { control } from "../../cluster/control/control-client.ts";
import { enterImageStore } from "../../cluster/data/image-store.ts";
import { knownData } from "../../cluster/data/known-data.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { clusterName, layoutOf } from "../../cluster/files/layout.ts";
import type { KubeObject } from "../../core/object.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { runs } from "../../kinds/history/run.ts";
import { notificationPolicies } from "../../kinds/notify/notificationpolicy.ts";
import { explainedTypes, namesOf } from "../../why/explain.ts";
import { gather } from "../../why/gather.ts";
import { layoutFrom } from "../options/data-option.ts";
import type { Lookup } from "./candidates.ts";

const usualNamespace = "default";

/** @throws Error if the cluster does not run, where it is needed */
export async function namesFor(lookup: Lookup, options: Readonly<Record<string, string>>): Promise<string[]> {
	if (lookup === "data") return knownData();
	if (lookup === "clusters") return knownData().map((data) => clusterName(layoutOf(data)));
	const layout = layoutFrom(options["data"] === undefined ? {} : { data: options["data"] });
	if (lookup === "nodes") return (await control(layout, "status")).nodes.map(({ name }) => name);
	if (lookup === "images")
		return enterImageStore(layout, options["image-store"])
			.list()
			.flatMap(({ names }) => names);
	return apiNames(lookup, layout, options["namespace"] ?? usualNamespace);
}

async function apiNames(
	lookup: Exclude<Lookup, "clusters" | "data" | "images" | "nodes">,
	layout: Layout,
	namespace: string,
): Promise<string[]> {
	await using connection = await connect(layout, "cox");
	const { client } = connection;
	const list = async <T extends KubeObject>(kind: Kind<T>) =>
		(await client.list(kind, kind.namespaced ? { namespace } : {})).items;
	switch (lookup) {
		case "namespaces":
			return (await list(namespaces)).map(({ metadata }) => metadata.name);
		case "policies":
			return (await list(notificationPolicies)).map(({ metadata }) => metadata.name);
		case "cronJobs":
			return (await list(cronJobs)).map(({ metadata }) => `cronjob/${metadata.name}`);
		case "runs":
			return (await list(runs)).map(({ metadata }) => metadata.name);
		case "runOwners":
			return (await list(runs)).flatMap(({ metadata, spec }) => [
				...(spec.cronJobName === undefined ? [] : [`cronjob/${spec.cronJobName}`]),
				`job/${spec.jobName}`,
				`run/${metadata.name}`,
			]);
		case "explained": {
			const evidence = await gather(client, namespace, 0);
			return explainedTypes.flatMap((type) => namesOf(type, evidence).map((name) => `${type}/${name}`));
		}
	}
}
