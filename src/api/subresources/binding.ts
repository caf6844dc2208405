/** pods/binding: the scheduler's decision. */

import { timestamp } from "../../core/clock.ts";
import { ApiError, conflict } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { deepCopy } from "../../core/object.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { decodeUnstored } from "../decode.ts";
import { unassigned } from "../metadata.ts";
import { objectResponse } from "../respond.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, named, type Target, targetOf } from "../target.ts";
import { writeObject } from "../verbs/write.ts";

interface Binding {
	metadata?: {
		name?: string;
		uid?: string;
		resourceVersion?: string;
		annotations?: Record<string, string>;
		labels?: Record<string, string>;
	};
	target?: { kind?: string; name?: string };
}

function readBinding(context: Context): Binding {
	// The type that the body was decoded as.
	return decodeUnstored(context, "Binding", "Binding") as Binding;
}

/** The same by `/api/v1/namespaces/{namespace}/bindings`: the binding's own name is the pod's. */
export async function createBinding(context: Context, namespace: string): Promise<ApiResponse> {
	const body = readBinding(context);
	const name = body.metadata?.name ?? "";
	const resource = { group: "", version: "v1", namespace, plural: "pods", name, subresource: "binding", rest: "" };
	const target = targetOf(context.server, { ...context.info, resource });
	if (target === undefined || name === "") throw new ApiError("BadRequest", "name is required");
	return binding(context, target);
}

export async function binding(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "create") throw methodNotAllowed();
	const pod = named(target);
	const { metadata, target: node } = readBinding(context);
	const nodeName = node?.name ?? "";
	if (nodeName === "") throw new ApiError("Invalid", `Binding "${pod.name}" is invalid: target.name: Required value`);
	if (node?.kind !== undefined && node.kind !== "" && node.kind !== "Node" && node.kind !== "Minion")
		throw new ApiError(
			"Invalid",
			`Binding "${pod.name}" is invalid: target.kind: Unsupported value: "${node.kind}": supported values: "Node", "<empty>"`,
		);
	await writeObject(context, pod, {
		make(current) {
			// The target is a pod.
			const object = deepCopy(current.object) as Pod;
			const uid = metadata?.uid;
			if (uid !== undefined && uid !== "" && uid !== object.metadata.uid) {
				const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`;
				throw conflict(target.kind, pod.name, why);
			}
			if (object.metadata.deletionTimestamp !== undefined)
				throw conflict(target.kind, `${pod.name}`, `pod ${pod.name} is being deleted, cannot be assigned to a host`);
			const assigned = object.spec?.nodeName ?? "";
			if (assigned !== "")
				throw conflict(target.kind, pod.name, `pod ${pod.name} is already assigned to node "${assigned}"`);
			if ((object.spec?.schedulingGates ?? []).length > 0)
				throw conflict(target.kind, pod.name, `pod ${pod.name} has non-empty .spec.schedulingGates`);
			object.metadata.resourceVersion = metadata?.resourceVersion ?? unassigned;
			object.spec.nodeName = nodeName;
			if (metadata?.annotations !== undefined)
				object.metadata.annotations = { ...object.metadata.annotations, ...metadata.annotations };
			if (metadata?.labels !== undefined) object.metadata.labels = { ...object.metadata.labels, ...metadata.labels };
			setScheduled(object, timestamp(context.server.clock.now()));
			return object;
		},
		strategy: { prepare() {}, validate: () => [] },
	});
	return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
}

function setScheduled(pod: Pod, now: string): void {
	const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
	const condition = { type: "PodScheduled", status: "True", lastTransitionTime: now };
	pod.status ??= {};
	pod.status.conditions = [...others, condition];
	if (pod.status.nominatedNodeName !== undefined) delete pod.status.nominatedNodeName;
}
