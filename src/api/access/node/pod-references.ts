/** The objects that a pod on a node gives its node access to, as upstream's node authorizer counts them. Pure. */
import type { Container, PersistentVolume, Pod, Volume } from "../../../kinds/generated/types.ts";
import { mirrorAnnotation } from "../../../kinds/pod/static-pod.ts";

/** An object of a kind that nodes read one by one: `secrets/default/db`. */
export type Reference = string;

export function reference(plural: string, namespace: string, name: string): Reference {
	return `${plural}/${namespace}/${name}`;
}

/** Each once. None for a mirror pod: a node makes those itself, and would give itself access. */
export function referencesOf({ metadata, spec, status }: Pick<Pod, "metadata" | "spec" | "status">): Set<Reference> {
	const found = new Set<Reference>();
	if (metadata.annotations?.[mirrorAnnotation] !== undefined) return found;
	const { namespace = "" } = metadata;
	const add = (plural: string, name: string | undefined) => {
		if (name !== undefined && name !== "") found.add(reference(plural, namespace, name));
	};
	add("serviceaccounts", spec.serviceAccountName);
	for (const secret of spec.imagePullSecrets ?? []) add("secrets", secret.name);
	for (const container of spec.containers) addVariables(container, add);
	for (const container of spec.initContainers ?? []) addVariables(container, add);
	for (const container of spec.ephemeralContainers ?? []) addVariables(container, add);
	for (const volume of spec.volumes ?? []) addVolume(metadata.name, volume, add);
	for (const { resourceClaimName } of spec.resourceClaims ?? []) add("resourceclaims", resourceClaimName);
	for (const { resourceClaimName } of status?.resourceClaimStatuses ?? []) add("resourceclaims", resourceClaimName);
	return found;
}

type Add = (plural: string, name: string | undefined) => void;

function addVariables({ env = [], envFrom = [] }: Pick<Container, "env" | "envFrom">, add: Add): void {
	for (const { valueFrom } of env) {
		add("configmaps", valueFrom?.configMapKeyRef?.name);
		add("secrets", valueFrom?.secretKeyRef?.name);
	}
	for (const { configMapRef, secretRef } of envFrom) {
		add("configmaps", configMapRef?.name);
		add("secrets", secretRef?.name);
	}
}

function addVolume(podName: string, volume: Volume, add: Add): void {
	add("configmaps", volume.configMap?.name);
	add("secrets", volume.secret?.secretName);
	add("secrets", volume.azureFile?.secretName);
	add("secrets", volume.csi?.nodePublishSecretRef?.name);
	add("persistentvolumeclaims", volume.persistentVolumeClaim?.claimName);
	// The claim that is made for the pod is named after both.
	if (volume.ephemeral !== undefined) add("persistentvolumeclaims", `${podName}-${volume.name}`);
	for (const source of volume.projected?.sources ?? []) {
		add("configmaps", source.configMap?.name);
		add("secrets", source.secret?.name);
	}
	// CephFS, Cinder, FlexVolume, iSCSI, RBD, ScaleIO and StorageOS all name it alike.
	for (const source of Object.values(volume)) add("secrets", secretRefOf(source)?.name);
}

/** Secrets that a node needs to mount a volume. */
export function secretsOfVolume({ spec }: PersistentVolume): Set<Reference> {
	const found = new Set<Reference>();
	const claimNamespace = spec.claimRef?.namespace ?? "";
	const add = (name: string | undefined, namespace = claimNamespace) => {
		if (name !== undefined && name !== "") found.add(reference("secrets", namespace, name));
	};
	const { csi, azureFile } = spec;
	for (const ref of [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef])
		add(ref?.name, ref?.namespace);
	add(azureFile?.secretName, azureFile?.secretNamespace || undefined);
	for (const source of Object.values(spec)) {
		const ref = secretRefOf(source);
		add(ref?.name, ref?.namespace || undefined);
	}
	return found;
}

function secretRefOf(source: unknown): { name?: string; namespace?: string } | undefined {
	if (typeof source !== "object" || source === null || !("secretRef" in source)) return undefined;
	// As the schema of each such source says.
	return source.secretRef as { name?: string; namespace?: string };
}
