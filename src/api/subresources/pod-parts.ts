/** pods/ephemeralcontainers and pods/resize: parts of a running pod that are changed separately. */
import { sameJson } from "../../core/equal.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Container, Pod } from "../../kinds/generated/types.ts";
import { validateEphemeralContainersUpdate, validateResize } from "../../kinds/pod/pod-update.ts";
import { keep } from "../mutate/strategies.ts";
import type { Strategy } from "../mutate/write.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { partOf } from "./part.ts";

export function ephemeralContainers(context: Context, target: Target): Promise<ApiResponse> {
	return partOf(context, target, ephemeralStrategy);
}

export function resize(context: Context, target: Target): Promise<ApiResponse> {
	return partOf(context, target, resizeStrategy);
}

/** Only spec.ephemeralContainers. */
const ephemeralStrategy: Strategy = {
	prepare(object, old) {
		const [pod, before] = podsOf(object, old);
		const { ephemeralContainers } = pod.spec;
		pod.spec = { ...before.spec };
		if (ephemeralContainers !== undefined) pod.spec.ephemeralContainers = ephemeralContainers;
		keep(object, old, "status");
		countGeneration(object, old, pod.spec.ephemeralContainers, before.spec.ephemeralContainers);
	},
	validate: (object, old) => validateEphemeralContainersUpdate(...podsOf(object, old)),
};

/** Only resources and resize policies of containers, and resources of the whole pod. */
const resizeStrategy: Strategy = {
	prepare(object, old) {
		const [pod, before] = podsOf(object, old);
		const sent = pod.spec;
		pod.spec = {
			...before.spec,
			...(sent.resources && { resources: sent.resources }),
			containers: resized(before.spec.containers, sent.containers ?? []),
			...(before.spec.initContainers && {
				initContainers: resized(before.spec.initContainers, sent.initContainers ?? []),
			}),
		};
		keep(object, old, "status");
		countGeneration(object, old, pod.spec, before.spec);
	},
	validate: (object, old) => validateResize(...podsOf(object, old)),
};

/** Containers are matched by position; changed names and additional containers remain, and are rejected later. */
function resized(containers: readonly Container[], sent: readonly Container[]): Container[] {
	return sent.map((wanted, place) => {
		const { name, resources, resizePolicy } = wanted;
		const container = containers[place];
		if (container === undefined) return wanted;
		return { ...container, name, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
	});
}

function countGeneration(object: KubeObject, old: KubeObject, part: unknown, before: unknown): void {
	if (sameJson(part, before)) return;
	object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** Both subresources belong to pods. */
function podsOf(object: KubeObject, old: KubeObject): [Pod, Pod] {
	return [object as Pod, old as Pod];
}
