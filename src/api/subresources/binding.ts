/** pods/binding: the scheduler's decision. */

import { ApiError, conflict } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { Pod, PodStatus } from "../../kinds/generated/types.ts";
import { updateObject } from "../mutate/update.ts";
import { decodeUnstored } from "../resources/decode.ts";
import { unassigned } from "../resources/metadata.ts";
import { methodNotAllowed, named, type Target, targetOf } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { objectResponse } from "../wire/respond.ts";

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

/** The same through `/api/v1/namespaces/{namespace}/bindings`: the binding has the pod's name. */
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
	const sent = readBinding(context);
	const { metadata, target: node } = sent;
	const nodeName = node?.name ?? "";
	if (nodeName === "") throw new ApiError("Invalid", `Binding "${pod.name}" is invalid: target.name: Required value`);
	if (node?.kind !== undefined && node.kind !== "" && node.kind !== "Node" && node.kind !== "Minion")
		throw new ApiError(
			"Invalid",
			`Binding "${pod.name}" is invalid: target.kind: Unsupported value: "${node.kind}": supported values: "Node", "<empty>"`,
		);
	await updateObject(context, pod, {
		make(current) {
			// The target is a pod.
			const old = current.object as Pod;
			checkBinding(target, old, metadata?.uid);
			return bound(old, nodeName, metadata, timestamp(context.server.clock.now()));
		},
		strategy: { prepare() {}, validate: () => [] },
		// Decoded as one.
		sent: { ...sent, apiVersion: "v1", kind: "Binding", metadata: { ...metadata } } as KubeObject,
	});
	return objectResponse({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 }, 201);
}

/** @throws ApiError Conflict if the pod has another uid, or must not be bound */
function checkBinding({ kind }: Target, { metadata, spec }: Pod, uid: string | undefined): void {
	const { name } = metadata;
	if (uid !== undefined && uid !== "" && uid !== metadata.uid)
		throw conflict(kind, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
	if (metadata.deletionTimestamp !== undefined)
		throw conflict(kind, name, `pod ${name} is being deleted, cannot be assigned to a host`);
	const assigned = spec.nodeName ?? "";
	if (assigned !== "") throw conflict(kind, name, `pod ${name} is already assigned to node "${assigned}"`);
	if ((spec.schedulingGates ?? []).length > 0)
		throw conflict(kind, name, `pod ${name} has non-empty .spec.schedulingGates`);
}

/** The bound pod. Unchanged parts are shared with the old one. */
function bound(pod: Pod, nodeName: string, sent: Binding["metadata"], now: string): Pod {
	const resourceVersion = sent?.resourceVersion ?? unassigned;
	const metadata: Pod["metadata"] = Object.assign({}, pod.metadata, { resourceVersion });
	if (sent?.annotations !== undefined) metadata.annotations = { ...metadata.annotations, ...sent.annotations };
	if (sent?.labels !== undefined) metadata.labels = { ...metadata.labels, ...sent.labels };
	const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
	const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: now };
	const status: PodStatus = Object.assign({}, pod.status, { conditions: others.concat(scheduled) });
	if (status.nominatedNodeName !== undefined) delete status.nominatedNodeName;
	const { apiVersion, kind } = pod;
	return { apiVersion, kind, metadata, spec: Object.assign({}, pod.spec, { nodeName }), status };
}
