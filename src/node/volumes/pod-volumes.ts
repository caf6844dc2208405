/** Prepares a pod's volumes, updates those that show API objects, and removes them. */

import { closeSync } from "node:fs";
import { chmod, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Client } from "../../client/client.ts";
import { messageOf } from "../../core/errors.ts";
import { parseQuantity } from "../../core/quantity.ts";
import { type Clock, parseTimestamp, type Timer } from "../../core/time/clock.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Pod, ServiceAccountTokenProjection, Volume } from "../../kinds/generated/types.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { openBeneath } from "../../linux/beneath.ts";
import { isCode } from "../../linux/descriptors.ts";
import { holdDirectory, removeTree } from "../../linux/no-links.ts";
import { type NodeIdentity, type References, VolumeError } from "../context/node-context.ts";
import { writeAtomically } from "./atomic-writer.ts";
import { claimDirectory } from "./claims.ts";
import { ownByGroup } from "./group-owner.ts";
import { prepareHostPath } from "./host-path.ts";
import { type Directories, podDirectory, volumeDirectory } from "./layout.ts";
import { type PayloadSources, volumePayload } from "./payload.ts";
import { mountTmpfs, unmount } from "./tmpfs.ts";

const defaultTokenSeconds = 3607;
/** A token is renewed after this fraction of its lifetime, or this long before its expiry. */
const tokenLifePart = 0.8;

interface Token {
	text: string;
	renewAtMs: number;
}

/**
 * Location of a volume: `path` below `root`, if given, which may contain links; otherwise a path that only the agent
 * can change.
 */
export interface VolumePath {
	path: string;
	root?: string;
	readOnly: boolean;
}

/** Opens a volume. The caller closes the descriptor. */
export function openVolume({ path, root }: VolumePath): number {
	return root === undefined ? openBeneath(path, "", { links: "root" }) : openBeneath(root, path, { links: "root" });
}

export interface PodVolumesOptions {
	client: Client;
	clock: Clock;
	node: NodeIdentity;
	references: References;
	directories: Directories;
}

export class PodVolumes {
	readonly #options: PodVolumesOptions;
	/** By pod UID, then volume name. */
	readonly #ready = new Map<string, Map<string, VolumePath>>();
	/** By pod UID, then audience and lifetime. */
	readonly #tokens = new Map<string, Map<string, Token>>();
	readonly #refreshes = new Map<string, Timer>();
	/** The last refresh requested, by pod UID. */
	readonly #turns = new Map<string, Promise<void>>();
	#sequence = 0;

	constructor(options: PodVolumesOptions) {
		this.#options = options;
	}

	/**
	 * Idempotent.
	 * @throws VolumeError whose message names the volume
	 */
	async prepare(pod: Pod): Promise<void> {
		const { uid } = pod.metadata;
		const paths = new Map<string, VolumePath>();
		for (const volume of pod.spec.volumes ?? []) {
			try {
				paths.set(volume.name, await this.#prepareVolume(pod, volume));
			} catch (error) {
				const message = messageOf(error);
				const pending = error instanceof VolumeError && error.pending;
				throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${message}`, { pending });
			}
		}
		this.#ready.set(uid, paths);
		this.#scheduleRefresh(pod);
	}

	/**
	 * Location of the volume; prepares the pod's volumes again after a restart of the agent.
	 * @throws VolumeError
	 */
	async path(pod: Pod, name: string): Promise<VolumePath | undefined> {
		if (!this.#ready.has(pod.metadata.uid)) await this.prepare(pod);
		return this.#ready.get(pod.metadata.uid)?.get(name);
	}

	/**
	 * Writes changed contents of the pod's volumes. Calls run one after the other, because they use the same directories.
	 */
	refresh(pod: Pod): Promise<void> {
		const { uid } = pod.metadata;
		const turn = (this.#turns.get(uid) ?? Promise.resolve()).catch(() => {}).then(() => this.#refresh(pod));
		this.#turns.set(uid, turn);
		return turn;
	}

	async #refresh(pod: Pod): Promise<void> {
		if (!this.#ready.has(pod.metadata.uid)) return;
		for (const volume of pod.spec.volumes ?? []) {
			// If an object no longer exists, the written files remain.
			await this.#writePayload(pod, volume).catch(() => undefined);
		}
		this.#scheduleRefresh(pod);
	}

	/** Unmounts the pod's volumes and removes those that belong to it. Idempotent. */
	async remove(uid: string): Promise<void> {
		this.#refreshes.get(uid)?.cancel();
		this.#refreshes.delete(uid);
		this.#ready.delete(uid);
		this.#tokens.delete(uid);
		await this.#turns.get(uid);
		this.#turns.delete(uid);
		const volumes = join(podDirectory(this.#options.directories, uid), "volumes");
		const emptyDirs = join(volumes, "kubernetes.io~empty-dir");
		for (const name of await names(emptyDirs)) await unmount(join(emptyDirs, name));
		await removeTree(volumes);
	}

	close(): void {
		for (const timer of this.#refreshes.values()) timer.cancel();
	}

	async #prepareVolume(pod: Pod, volume: Volume): Promise<VolumePath> {
		const { directories, client } = this.#options;
		const { uid, namespace = "default", name } = pod.metadata;
		if (volume.emptyDir !== undefined) return this.#prepareEmptyDir(pod, volume);
		if (volume.hostPath !== undefined) {
			prepareHostPath(directories.view, volume.hostPath.path, volume.hostPath.type);
			return { path: volume.hostPath.path, root: directories.view || "/", readOnly: false };
		}
		if (volume.persistentVolumeClaim !== undefined) {
			const { claimName, readOnly } = volume.persistentVolumeClaim;
			return this.#prepareClaim(pod, claimName, readOnly === true);
		}
		if (volume.ephemeral !== undefined) {
			const claimName = `${name}-${volume.name}`;
			const claim = await client.get(persistentVolumeClaims, { namespace, name: claimName });
			const owned = claim.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
			if (!owned) throw new VolumeError(`PVC ${namespace}/${claimName} was not created for pod ${namespace}/${name}`);
			return this.#prepareClaim(pod, claimName, false);
		}
		// The runtime mounts its files.
		if (volume.image !== undefined) return { path: "", readOnly: true };
		if (await this.#writePayload(pod, volume)) {
			return { path: volumeDirectory(directories, uid, volume), readOnly: true };
		}
		if (volume.csi !== undefined) throw new VolumeError(noDriver(volume.csi.driver));
		const type = Object.keys(volume).find((key) => key !== "name") ?? "none";
		throw new VolumeError(`volumes of type ${type} are not supported by this node`);
	}

	async #prepareEmptyDir(pod: Pod, volume: Volume): Promise<VolumePath> {
		const path = volumeDirectory(this.#options.directories, pod.metadata.uid, volume);
		const { medium = "", sizeLimit } = volume.emptyDir ?? {};
		if (medium !== "" && medium !== "Memory") throw new VolumeError(`medium ${medium} is not supported by this node`);
		const directory = holdDirectory(path, 0o755);
		try {
			const sizeBytes = sizeLimit === undefined ? undefined : parseQuantity(sizeLimit);
			if (medium === "Memory") await mountTmpfs(path, directory, sizeBytes);
		} finally {
			directory.close();
		}
		if (medium !== "Memory") await openToAll(path);
		await this.#ownByGroup(pod, path, "");
		return { path, readOnly: false };
	}

	async #prepareClaim(pod: Pod, claimName: string, readOnly: boolean): Promise<VolumePath> {
		const { client, directories } = this.#options;
		const directory = await claimDirectory(client, pod.metadata.namespace ?? "default", claimName);
		const root = directories.view || "/";
		const { path } = directory;
		if (directory.provisioned) {
			prepareHostPath(root, dirname(path), "DirectoryOrCreate");
			closeSync(openBeneath(root, path, { links: "root", make: "directory", mode: 0o777 }));
		} else prepareHostPath(root, path, directory.type ?? "Directory");
		const onlyRead = readOnly || directory.readOnly;
		if (!onlyRead) await this.#ownByGroup(pod, root, path);
		return { path, root, readOnly: onlyRead };
	}

	/** @returns false for a volume that does not show API objects */
	async #writePayload(pod: Pod, volume: Volume): Promise<boolean> {
		const { directories, clock } = this.#options;
		const found = await volumePayload(pod, volume, this.#sources(pod));
		if (found === undefined) return false;
		const directory = volumeDirectory(directories, pod.metadata.uid, volume);
		const group = pod.spec.securityContext?.fsGroup;
		const sequence = `${Math.floor(clock.now())}.${this.#sequence++}`;
		const options = { mode: found.mode, ...(group === undefined ? {} : { group }), sequence };
		await writeAtomically(directory, found.payload, options);
		return true;
	}

	#sources(pod: Pod): PayloadSources {
		const { node, references } = this.#options;
		const podAddresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? [];
		return {
			references,
			fields: { nodeName: node.name, hostAddresses: node.addresses, podAddresses, allocatable: node.allocatable },
			token: (of, projection) => this.#token(of, projection),
		};
	}

	async #token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string> {
		const { client, clock } = this.#options;
		const { uid, name, namespace } = pod.metadata;
		const { audience, expirationSeconds = defaultTokenSeconds } = projection;
		const tokens = this.#tokens.get(uid) ?? new Map<string, Token>();
		this.#tokens.set(uid, tokens);
		const key = `${audience ?? ""}/${expirationSeconds}`;
		const known = tokens.get(key);
		if (known !== undefined && known.renewAtMs > clock.now()) return known.text;
		const request = {
			apiVersion: "authentication.k8s.io/v1",
			kind: "TokenRequest",
			spec: {
				audiences: audience === undefined || audience === "" ? [] : [audience],
				expirationSeconds,
				boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
			},
		};
		const ref = { namespace, name: pod.spec.serviceAccountName ?? "default" };
		// The response to a TokenRequest has its status set.
		const answer = (await client.createSubresource(serviceAccounts, ref, "token", request)) as {
			status?: { token?: string; expirationTimestamp?: string };
		};
		const text = answer.status?.token;
		if (text === undefined) throw new VolumeError(`failed to fetch token for service account ${ref.name}`);
		const endsMs = parseTimestamp(answer.status?.expirationTimestamp ?? "") || clock.now() + expirationSeconds * 1000;
		tokens.set(key, { text, renewAtMs: clock.now() + (endsMs - clock.now()) * tokenLifePart });
		return text;
	}

	/** One timer for each pod with tokens, for the next renewal. */
	#scheduleRefresh(pod: Pod): void {
		const { uid } = pod.metadata;
		this.#refreshes.get(uid)?.cancel();
		this.#refreshes.delete(uid);
		const { clock } = this.#options;
		const renewals = [...(this.#tokens.get(uid)?.values() ?? [])].map(({ renewAtMs }) => renewAtMs);
		if (renewals.length === 0) return;
		// If the renewal fails, it is retried while the old token is still valid.
		const delayMs = Math.max(Math.min(...renewals) - clock.now(), 60_000);
		this.#refreshes.set(
			uid,
			clock.after(delayMs, () => void this.refresh(pod)),
		);
	}

	async #ownByGroup(pod: Pod, root: string, path: string): Promise<void> {
		const group = pod.spec.securityContext?.fsGroup;
		if (group === undefined) return;
		const policy = pod.spec.securityContext?.fsGroupChangePolicy;
		await ownByGroup(root, path, group, policy === "OnRootMismatch" ? "mismatch" : "always");
	}
}

/** Upstream's words: no CSI driver can register here. */
function noDriver(driver: string): string {
	return `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${driver} not found in the list of registered CSI drivers`;
}

/** Lets any user write in the directory. */
async function openToAll(path: string): Promise<void> {
	const directory = holdDirectory(path);
	try {
		await chmod(directory.path, 0o777);
	} finally {
		directory.close();
	}
}

/** Names in the directory; empty if it does not exist or is a link. */
async function names(path: string): Promise<string[]> {
	try {
		const directory = holdDirectory(path);
		return await readdir(directory.path).finally(() => directory.close());
	} catch (error) {
		if (isCode(error, "ENOENT", "ENOTDIR")) return [];
		throw error;
	}
}
