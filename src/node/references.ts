/**
 * ConfigMaps, Secrets and trust bundles that the pods of a node, or of all simulated nodes of a process, name. Each is watched only
 * while a pod names it.
 */
import type { Client } from "../client/client.ts";
import { createInformerCache } from "../client/informer.ts";
import type { Informer, InformerCache } from "../client/informer-cache.ts";
import type { KubeObject } from "../core/object.ts";
import { selectorFrom } from "../core/selection/selector.ts";
import type { Clock } from "../core/time/clock.ts";
import { clusterTrustBundles } from "../kinds/certificates/clustertrustbundle.ts";
import { configMaps } from "../kinds/core/configmap.ts";
import { secrets } from "../kinds/core/secret.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import type {
	ClusterTrustBundle,
	ClusterTrustBundleProjection,
	ConfigMap,
	Pod,
	Secret,
} from "../kinds/generated/types.ts";
import type { References } from "./context/node-context.ts";
import { podContainers } from "./pod/pod-state.ts";

interface Watched {
	key: string;
	informer: Informer<KubeObject>;
	informers: InformerCache;
	/** Listeners by the UID of the pod that names the object. */
	holders: Map<string, () => void>;
}

export class WatchedReferences implements References {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #watched = new Map<string, Watched>();
	/** What each pod names, by UID. */
	readonly #held = new Map<string, readonly Watched[]>();

	constructor(client: Client, clock: Clock) {
		this.#client = client;
		this.#clock = clock;
	}

	configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
		return this.#get(configMaps, namespace, name);
	}

	secret(namespace: string, name: string): Promise<Secret | undefined> {
		return this.#get(secrets, namespace, name);
	}

	async trustBundles(projection: ClusterTrustBundleProjection): Promise<readonly ClusterTrustBundle[]> {
		const { informers, informer } = this.#watchBundles(projection);
		if (!informer.synced) await informers.synced();
		// The informer with this key is for this kind.
		const all = [...(informer as unknown as Informer<ClusterTrustBundle>).list()];
		if (projection.name !== undefined) return all;
		const { labelSelector } = projection;
		// Without a selector nothing is asked for, with an empty one everything.
		const selector = labelSelector && selectorFrom(labelSelector);
		return all.filter(({ metadata }) => selector?.matches(metadata.labels) === true);
	}

	#watchBundles({ name, signerName = "" }: ClusterTrustBundleProjection): Watched {
		return this.#watch(
			clusterTrustBundles,
			undefined,
			name === undefined ? `spec.signerName=${signerName}` : `metadata.name=${name}`,
		);
	}

	hold(pod: Pod, changed: () => void): void {
		const { namespace = "default", uid } = pod.metadata;
		const named = namedBy(pod);
		const held = [
			...[...named.configMaps].map((name) => this.#watch(configMaps, namespace, byName(name))),
			...[...named.secrets].map((name) => this.#watch(secrets, namespace, byName(name))),
			...named.trustBundles.map((projection) => this.#watchBundles(projection)),
		];
		for (const { holders } of held) holders.set(uid, changed);
		this.#held.set(uid, held);
	}

	release(podUid: string): void {
		for (const { key, holders, informers } of this.#held.get(podUid) ?? []) {
			if (!holders.delete(podUid) || holders.size > 0) continue;
			informers.close();
			this.#watched.delete(key);
		}
		this.#held.delete(podUid);
	}

	close(): void {
		for (const { informers } of this.#watched.values()) informers.close();
		this.#watched.clear();
		this.#held.clear();
	}

	async #get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): Promise<T | undefined> {
		const { informers, informer } = this.#watch(kind, namespace, byName(name));
		if (!informer.synced) await informers.synced();
		// The informer with this key is for this kind.
		return informer.get(namespace, name) as T | undefined;
	}

	#watch<T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, fieldSelector: string): Watched {
		const key = `${kind.plural}/${namespace}/${fieldSelector}`;
		const known = this.#watched.get(key);
		if (known !== undefined) return known;
		const informers = createInformerCache(this.#client, { clock: this.#clock });
		const informer = informers.of(kind, { ...(namespace === undefined ? {} : { namespace }), fieldSelector });
		const watched = { key, informer, informers, holders: new Map<string, () => void>() };
		informer.onChange(() => {
			for (const changed of watched.holders.values()) changed();
		});
		// An Informer yields only objects of its kind, which are KubeObjects.
		this.#watched.set(key, watched as unknown as Watched);
		return watched as unknown as Watched;
	}
}

function byName(name: string): string {
	return `metadata.name=${name}`;
}

interface Named {
	configMaps: Set<string>;
	secrets: Set<string>;
	trustBundles: ClusterTrustBundleProjection[];
}

/** Names of the ConfigMaps and Secrets, and the trust bundles, that a pod's volumes and variables name. Pure. */
function namedBy(pod: Pod): Named {
	const named: Named = { configMaps: new Set(), secrets: new Set(), trustBundles: [] };
	const add = (set: Set<string>, name: string | undefined) => {
		if (name !== undefined && name !== "") set.add(name);
	};
	for (const { name } of pod.spec.imagePullSecrets ?? []) add(named.secrets, name);
	for (const { configMap, secret, projected } of pod.spec.volumes ?? []) {
		add(named.configMaps, configMap?.name);
		add(named.secrets, secret?.secretName);
		for (const source of projected?.sources ?? []) {
			add(named.configMaps, source.configMap?.name);
			add(named.secrets, source.secret?.name);
			if (source.clusterTrustBundle !== undefined) named.trustBundles.push(source.clusterTrustBundle);
		}
	}
	for (const { spec } of podContainers(pod)) {
		for (const { configMapRef, secretRef } of spec.envFrom ?? []) {
			add(named.configMaps, configMapRef?.name);
			add(named.secrets, secretRef?.name);
		}
		for (const { valueFrom } of spec.env ?? []) {
			add(named.configMaps, valueFrom?.configMapKeyRef?.name);
			add(named.secrets, valueFrom?.secretKeyRef?.name);
		}
	}
	return named;
}
