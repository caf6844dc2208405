/** APIServices that the API server makes itself, of what it serves itself. */
import type { Draft } from "../../core/object.ts";
import type { APIService } from "../generated/types.ts";
import { apiServiceName } from "./availability.ts";

const label = "kube-aggregator.kubernetes.io/automanaged";

/** Whether it is kept as the server wants it: `onstart` those of built-in groups, `true` those of custom resources. */
export type Automanaged = "onstart" | "true";

export interface GroupVersionPriorities {
	group: string;
	version: string;
	groupPriorityMinimum: number;
	versionPriority: number;
}

export function localApiService(spec: GroupVersionPriorities, automanaged: Automanaged): Draft<APIService> {
	const { group, version, groupPriorityMinimum, versionPriority } = spec;
	return {
		metadata: { name: apiServiceName(group, version), labels: { [label]: automanaged } },
		// The core group is left out where it is served, too.
		spec: { ...(group !== "" && { group }), version, groupPriorityMinimum, versionPriority },
	};
}

/** Undefined: it belongs to users. */
export function automanagedOf({ metadata }: APIService): Automanaged | undefined {
	const value = metadata.labels?.[label];
	return value === "onstart" || value === "true" ? value : undefined;
}
