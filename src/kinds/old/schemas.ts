import type { TypeSchema } from "../schema.ts";

/**
 * Types of versions that are served still: the current types, with the fields that have gone since. What those fields
 * held is dropped on the way to storage, without a complaint to clients that check strictly.
 */
export function oldTypes(current: (name: string) => TypeSchema): Readonly<Record<string, TypeSchema>> {
	return {
		OldDeployment: { ...current("Deployment"), spec: { type: "OldDeploymentSpec" } },
		OldDeploymentSpec: { ...current("DeploymentSpec"), rollbackTo: { type: "any" } },
		OldDaemonSet: { ...current("DaemonSet"), spec: { type: "OldDaemonSetSpec" } },
		OldDaemonSetSpec: { ...current("DaemonSetSpec"), templateGeneration: { type: "int64" } },
		OldEndpointSlice: { ...current("EndpointSlice"), endpoints: { type: "OldEndpoint", of: "array" } },
		OldEndpoint: { ...current("Endpoint"), topology: { type: "string", of: "map" } },
	};
}
