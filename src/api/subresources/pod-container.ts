/** The pod and container of logs, exec, attach and port-forward. */

import { ApiError } from "../../core/errors.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { isFinalPhase } from "../../kinds/pod/pod-lifecycle.ts";
import { existing, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";

const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

export interface PodPlace {
	pod: Pod;
	node: string;
	/** Empty for port-forward. */
	container: string;
	/** `{namespace}/{pod}`, with `/{container}` where there is one, for a path of the agent. */
	path: string;
}

/** @throws ApiError NotFound, BadRequest */
export function placeOf(context: Context, target: Target, action: string): PodPlace {
	// The target is a pod.
	const pod = existing(named(target)).object as Pod;
	const { query } = context.request;
	const container = action === "portforward" ? "" : containerOf(pod, query.get("container") ?? "");
	const phase = pod.status?.phase ?? "";
	if ((action === "exec" || action === "attach") && isFinalPhase(phase)) {
		const verb = action === "exec" ? "exec into" : "attach";
		throw new ApiError("BadRequest", `cannot ${verb} a container in a completed pod; current phase is ${phase}`);
	}
	const node = pod.spec.nodeName ?? "";
	if (node === "") throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
	const path = [pod.metadata.namespace ?? "", pod.metadata.name, ...(container === "" ? [] : [container])];
	return { pod, node, container, path: path.map(encodeURIComponent).join("/") };
}

function containerOf({ metadata, spec }: Pod, wanted: string): string {
	const { containers, initContainers = [], ephemeralContainers = [] } = spec;
	const all = [...containers, ...initContainers, ...ephemeralContainers].map(({ name }) => name);
	if (wanted !== "") {
		if (all.includes(wanted)) return wanted;
		throw new ApiError("BadRequest", `container ${wanted} is not valid for pod ${metadata.name}`);
	}
	const [first, ...others] = containers;
	if (first !== undefined && others.length === 0) return first.name;
	const annotated = metadata.annotations?.[defaultContainerAnnotation];
	if (annotated !== undefined && all.includes(annotated)) return annotated;
	const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(" ");
	let message = `a container name must be specified for pod ${metadata.name}, choose one of: [${names(containers)}]`;
	if (initContainers.length > 0) message += ` or one of the init containers: [${names(initContainers)}]`;
	if (ephemeralContainers.length > 0) message += ` or one of the ephemeral containers: [${names(ephemeralContainers)}]`;
	throw new ApiError("BadRequest", message);
}
