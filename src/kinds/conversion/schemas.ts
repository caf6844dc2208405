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
		OldCustomResourceDefinition: {
			...current("CustomResourceDefinition"),
			spec: { type: "OldCustomResourceDefinitionSpec", required: true },
		},
		OldCustomResourceDefinitionSpec: {
			...current("CustomResourceDefinitionSpec"),
			version: { type: "string" },
			versions: { type: "OldCustomResourceDefinitionVersion", of: "array", listType: "atomic" },
			scope: { type: "string" },
			validation: { type: "CustomResourceValidation" },
			subresources: { type: "CustomResourceSubresources" },
			additionalPrinterColumns: { type: "OldCustomResourceColumnDefinition", of: "array", listType: "atomic" },
			selectableFields: { type: "SelectableField", of: "array", listType: "atomic" },
			conversion: { type: "OldCustomResourceConversion" },
		},
		OldCustomResourceDefinitionVersion: {
			...current("CustomResourceDefinitionVersion"),
			additionalPrinterColumns: { type: "OldCustomResourceColumnDefinition", of: "array", listType: "atomic" },
		},
		OldCustomResourceColumnDefinition: {
			description: { type: "string" },
			format: { type: "string" },
			JSONPath: { type: "string", required: true },
			name: { type: "string", required: true },
			priority: { type: "int32" },
			type: { type: "string", required: true },
		},
		OldCustomResourceConversion: {
			conversionReviewVersions: { type: "string", of: "array", listType: "atomic" },
			strategy: { type: "string", required: true },
			webhookClientConfig: { type: "ApiextensionsWebhookClientConfig" },
		},
		OldEndpointSlice: { ...current("EndpointSlice"), endpoints: { type: "OldEndpoint", of: "array" } },
		OldEndpoint: { ...current("Endpoint"), topology: { type: "string", of: "map" } },
	};
}
