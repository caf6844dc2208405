/** Sets the service account of pods, and mounts its token (KEP-1205). */

import { deepFreeze } from "../../../core/object.ts";
import { randomSuffix } from "../../../core/validation/names.ts";
import { serviceAccounts } from "../../../kinds/core/serviceaccount.ts";
import type { Container, Pod, ServiceAccount, Volume } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { mirrorAnnotation } from "../../../kinds/pod/static-pod.ts";
import { referencesOf } from "../../access/node/pod-references.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** One hour and seven seconds: agents recognise by it that the client did not choose the time. */
const tokenSeconds = 3607;
const fileMode = 0o644;

export const serviceAccount: AdmissionStep = {
	name: "ServiceAccount",
	on: { operations: ["create"], kinds: [pods] },
	admit(request) {
		const pod = request.object as Pod;
		const { spec, metadata } = pod;
		if (metadata.annotations?.[mirrorAnnotation] !== undefined) {
			const problem = mirrorProblem(pod);
			if (problem !== undefined) throw refused(request, problem);
			return;
		}
		if ((spec.serviceAccountName ?? "") === "") {
			spec.serviceAccountName = "default";
			spec.serviceAccount = "default";
		}
		const account = accountOf(request, spec.serviceAccountName ?? "");
		if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(request, pod);
		if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0)
			spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((secret) => ({ ...secret }));
	},
};

/** A static pod belongs to its node and may not use other objects of the API. */
function mirrorProblem({ metadata, spec }: Pod): string | undefined {
	if ((spec.serviceAccountName ?? "") !== "") return "a mirror pod may not reference service accounts";
	const named = referencesOf({ spec, metadata: { ...metadata, annotations: {} } });
	if ([...named].some((one) => one.startsWith("secrets/"))) return "a mirror pod may not reference secrets";
	const sources = (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
	return sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)
		? "a mirror pod may not use service account token volume projections"
		: undefined;
}

function accountOf(request: AdmissionAttributes, name: string): ServiceAccount {
	const { server, namespace = "" } = request;
	const found = server.cache.find(serviceAccounts, namespace, name);
	if (found === undefined)
		throw refused(request, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`);
	return found;
}

/** Mounts the token in every container that mounts nothing else at its path. */
function mountToken({ server }: AdmissionAttributes, { spec }: Pod): void {
	let volumeName = spec.volumes?.find(({ name }) => name.startsWith(volumePrefix))?.name;
	const hasVolume = volumeName !== undefined;
	volumeName ??= volumePrefix + randomSuffix(5, server.clock.random);
	let needsVolume = false;
	for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
		if (hasMount(container)) continue;
		container.volumeMounts = (container.volumeMounts ?? []).concat({ name: volumeName, readOnly: true, mountPath });
		needsVolume = true;
	}
	if (needsVolume && !hasVolume) spec.volumes = (spec.volumes ?? []).concat({ name: volumeName, projected: token });
}

function hasMount({ volumeMounts = [] }: Container): boolean {
	return volumeMounts.some((mount) => mount.mountPath === mountPath);
}

/** The sources of the volume; all pods share this object. */
const token: Volume["projected"] = deepFreeze({
	defaultMode: fileMode,
	sources: [
		{ serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
		{ configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
		{
			downwardAPI: {
				items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
			},
		},
	],
});
