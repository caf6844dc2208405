import type { FieldSchema, TypeSchema } from "../engine/type-schema.ts";

/**
 * Types of older versions that are still served: the current types, with the fields that were removed since. Their
 * values are dropped in the stored version, without an error for clients that validate strictly. The selector was not
 * required, which kubectl 1.20 checks before it sends a request.
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
