import type { FieldSchema, TypeSchema } from "../engine/type-schema.ts";

/**
 * Types of versions that are served still: the current types, with the fields that have gone since. What those fields
 * held is dropped on the way to storage, without a complaint to clients that check strictly. The selector was not
 * required yet, and kubectl 1.20 checks that before it sends anything.
 */
export function oldTypes(current: (name: string) => TypeSchema): Readonly<Record<string, TypeSchema>> {
	const selector: FieldSchema = { type: "LabelSelector", mapType: "atomic" };
	return {
		OldDeployment: { ...current("Deployment"), spec: { type: "OldDeploymentSpec" } },
		OldDeploymentSpec: { ...current("DeploymentSpec"), selector, rollbackTo: { type: "any" } },
		OldDaemonSet: { ...current("DaemonSet"), spec: { type: "OldDaemonSetSpec" } },
		OldDaemonSetSpec: { ...current("DaemonSetSpec"), selector, templateGeneration: { type: "int64" } },
		OldReplicaSet: { ...current("ReplicaSet"), spec: { type: "OldReplicaSetSpec" } },
		OldReplicaSetSpec: { ...current("ReplicaSetSpec"), selector },
		OldStatefulSet: { ...current("StatefulSet"), spec: { type: "OldStatefulSetSpec" } },
		OldStatefulSetSpec: { ...current("StatefulSetSpec"), selector },
		OldEndpointSlice: { ...current("EndpointSlice"), endpoints: { type: "OldEndpoint", of: "array" } },
		OldEndpoint: { ...current("Endpoint"), topology: { type: "string", of: "map" } },
	};
}
