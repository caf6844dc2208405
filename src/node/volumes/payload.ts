/** The files of a configMap, secret, downwardAPI or projected volume. */
import { unitedAnchors } from "../../kinds/certificates/trust-anchors.ts";
import type {
	ClusterTrustBundleProjection,
	ConfigMapVolumeSource,
	DownwardAPIVolumeFile,
	KeyToPath,
	Pod,
	ProjectedVolumeSource,
	SecretVolumeSource,
	ServiceAccountTokenProjection,
	Volume,
} from "../../kinds/generated/types.ts";
import { type References, VolumeError } from "../context/node-context.ts";
import { type FieldContext, fieldValue, resourceValue } from "../pod/environment/field-ref.ts";

export interface PayloadFile {
	data: Buffer;
	/** Permission bits; undefined: the volume's default. */
	mode?: number;
	/** Owner of the file; undefined: root. */
	user?: number;
}

/** Relative path → file. */
export type Payload = Map<string, PayloadFile>;

export interface PayloadSources {
	references: Pick<References, "configMap" | "secret" | "trustBundles">;
	fields: FieldContext;
	/**
	 * A token for the pod's service account.
	 * @throws ApiError
	 */
	token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>;
}

const defaultMode = 0o644;

/**
 * Files of a volume, and the default mode; undefined for other types of volumes.
 * @throws VolumeError
 */
export async function volumePayload(
	pod: Pod,
	volume: Volume,
	sources: PayloadSources,
): Promise<{ payload: Payload; mode: number } | undefined> {
	const { configMap, secret, downwardAPI, projected } = volume;
	if (configMap !== undefined)
		return { payload: await fromConfigMap(pod, configMap, sources), mode: configMap.defaultMode ?? defaultMode };
	if (secret !== undefined) {
		const source = { ...secret, name: secret.secretName };
		return { payload: await fromSecret(pod, source, sources), mode: secret.defaultMode ?? defaultMode };
	}
	if (downwardAPI !== undefined) {
		return {
			payload: fromDownward(pod, downwardAPI.items ?? [], sources),
			mode: downwardAPI.defaultMode ?? defaultMode,
		};
	}
	if (projected !== undefined)
		return { payload: await fromProjected(pod, projected, sources), mode: projected.defaultMode ?? defaultMode };
	return undefined;
}

async function fromConfigMap(
	pod: Pod,
	{ name = "", items, optional }: Pick<ConfigMapVolumeSource, "name" | "items" | "optional">,
	{ references }: PayloadSources,
): Promise<Payload> {
	const { namespace = "default" } = pod.metadata;
	const configMap = await references.configMap(namespace, name);
	if (configMap === undefined) {
		if (optional === true) return new Map();
		throw new VolumeError(`configmap "${name}" not found`);
	}
	const all = new Map<string, Buffer>();
	for (const [key, value] of Object.entries(configMap.data ?? {})) all.set(key, Buffer.from(value));
	for (const [key, value] of Object.entries(configMap.binaryData ?? {})) all.set(key, Buffer.from(value, "base64"));
	return select(all, items, optional === true, "configmap");
}

async function fromSecret(
	pod: Pod,
	{ name = "", items, optional }: Pick<SecretVolumeSource, "items" | "optional"> & { name?: string },
	{ references }: PayloadSources,
): Promise<Payload> {
	const { namespace = "default" } = pod.metadata;
	const secret = await references.secret(namespace, name);
	if (secret === undefined) {
		if (optional === true) return new Map();
		throw new VolumeError(`secret "${name}" not found`);
	}
	const all = new Map(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]));
	return select(all, items, optional === true, "secret");
}

/** All keys, or those in `items` if given. */
function select(
	all: ReadonlyMap<string, Buffer>,
	items: readonly KeyToPath[] | undefined,
	optional: boolean,
	what: string,
): Payload {
	if (items === undefined || items.length === 0) return new Map([...all].map(([key, data]) => [key, { data }]));
	const payload: Payload = new Map();
	for (const { key, path, mode } of items) {
		const data = all.get(key);
		if (data === undefined && !optional) throw new VolumeError(`references non-existent ${what} key: ${key}`);
		if (data !== undefined) payload.set(checkedPath(path), { data, ...(mode === undefined ? {} : { mode }) });
	}
	return payload;
}

function fromDownward(pod: Pod, items: readonly DownwardAPIVolumeFile[], { fields }: PayloadSources): Payload {
	const payload: Payload = new Map();
	for (const { path, mode, fieldRef, resourceFieldRef } of items) {
		const value =
			fieldRef !== undefined
				? fieldValue(pod, fieldRef, fields)
				: resourceFieldRef === undefined
					? undefined
					: resourceValue(pod, resourceFieldRef, "", fields);
		const asked = fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? "";
		if (value === undefined) throw new VolumeError(`unsupported downward API field: ${asked}`);
		payload.set(checkedPath(path), { data: Buffer.from(value), ...(mode === undefined ? {} : { mode }) });
	}
	return payload;
}

/** One file with the anchors of all bundles, empty where there may be none. */
async function fromTrustBundles(
	pod: Pod,
	projection: ClusterTrustBundleProjection,
	{ references }: PayloadSources,
): Promise<Payload> {
	const { name, signerName, optional, path } = projection;
	const bundles = await references.trustBundles(projection);
	if (bundles.length === 0 && optional !== true)
		throw new VolumeError(
			name === undefined
				? `combination of signerName=${signerName ?? ""} and labelSelector matched zero ClusterTrustBundles`
				: `clustertrustbundle "${name}" not found`,
		);
	const anchors = unitedAnchors(bundles.map(({ spec }) => spec.trustBundle));
	return new Map([[checkedPath(path), { data: Buffer.from(anchors), ...fileOwner(pod) }]]);
}

async function fromProjected(
	pod: Pod,
	{ sources: parts = [] }: ProjectedVolumeSource,
	sources: PayloadSources,
): Promise<Payload> {
	const payload: Payload = new Map();
	const take = (more: Payload) => {
		for (const [path, file] of more) payload.set(path, file);
	};
	for (const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, ...others } of parts) {
		const unknown = Object.keys(others)[0];
		if (unknown !== undefined)
			throw new VolumeError(`projected volume source ${unknown} is not supported by this node`);
		if (configMap !== undefined) take(await fromConfigMap(pod, configMap, sources));
		if (secret !== undefined) take(await fromSecret(pod, secret, sources));
		if (downwardAPI !== undefined) take(fromDownward(pod, downwardAPI.items ?? [], sources));
		if (clusterTrustBundle !== undefined) take(await fromTrustBundles(pod, clusterTrustBundle, sources));
		if (serviceAccountToken !== undefined) {
			const token = await sources.token(pod, serviceAccountToken);
			payload.set(checkedPath(serviceAccountToken.path), { data: Buffer.from(token), ...fileOwner(pod) });
		}
	}
	return payload;
}

/** If the containers' user or the pod's group is known, only they can read the file. */
function fileOwner({ spec }: Pod): Pick<PayloadFile, "mode" | "user"> {
	const { fsGroup, runAsUser } = spec.securityContext ?? {};
	const users = new Set(
		[...spec.containers, ...(spec.initContainers ?? [])].map(
			({ securityContext }) => securityContext?.runAsUser ?? runAsUser,
		),
	);
	const [user] = users.size === 1 ? users : [];
	if (user === undefined) return fsGroup === undefined ? {} : { mode: 0o600 };
	return { mode: 0o600, user };
}

/** Relative, without `..`: admission checked it, and it is checked again when it is written. */
function checkedPath(path: string): string {
	if (path === "" || path.startsWith("/") || path.split("/").includes("..")) {
		throw new VolumeError(`invalid path in volume: ${path}`);
	}
	return path;
}
