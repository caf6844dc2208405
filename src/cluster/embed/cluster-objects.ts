/** What programs do with the objects of their cluster: apply and delete manifests, wait for conditions, read logs. */
import type { Client } from "../../client/client.ts";
import { waitFor, waitForList } from "../../client/wait.ts";
import { isReason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { customResourceDefinitions } from "../../kinds/apiextensions/customresourcedefinition.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { CustomResourceDefinition } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { LogOptions, WaitForOptions } from "./cluster.ts";
import { type Condition, conditionOf, refOf, type Target } from "./conditions.ts";
import { type ApplyOptions, applyManifest, type Manifest, manifestRefs, nameOf } from "./manifests.ts";
import { type Timing, waitWithin } from "./time.ts";

/** See `Cluster` for the methods. */
export abstract class ClusterObjects {
	protected readonly timing: Timing;

	constructor(timing: Timing) {
		this.timing = timing;
	}

	/** @throws Error after the cluster was stopped */
	abstract get client(): Client;

	/** As `client`. */
	protected abstract get registry(): Registry;

	apply(manifest: Manifest, options?: ApplyOptions): Promise<KubeObject[]> {
		const { client, registry } = this;
		const isSettled = ({ status }: CustomResourceDefinition) => (status?.conditions ?? []).length > 0;
		const settled = (name: string) => this.waitFor(customResourceDefinitions, name, isSettled);
		return applyManifest(client, registry, manifest, { ...options, settled });
	}

	async delete(manifest: Manifest, options: { namespace?: string } & WaitForOptions = {}): Promise<void> {
		const { client, registry } = this;
		const refs = manifestRefs(registry, manifest, options.namespace).reverse();
		for (const ref of refs) {
			try {
				await client.delete(ref.kind, ref, { propagationPolicy: "Background" });
			} catch (error) {
				if (!isReason(error, "NotFound")) throw error;
			}
		}
		for (const ref of refs) await this.waitFor(ref.kind, ref, "deleted", options);
	}

	waitFor<T extends KubeObject>(
		kind: Kind<T>,
		target: Target,
		condition: "deleted",
		options?: WaitForOptions,
	): Promise<undefined>;
	waitFor<T extends KubeObject>(
		kind: Kind<T>,
		target: Target,
		condition: Condition<T>,
		options?: WaitForOptions,
	): Promise<T>;
	async waitFor<T extends KubeObject>(
		kind: Kind<T>,
		target: Target,
		condition: Condition<T>,
		options?: WaitForOptions,
	): Promise<T | undefined> {
		const ref = refOf(kind, target);
		const what = `${nameOf(kind, ref)} (${typeof condition === "string" ? condition : "condition"})`;
		const holds = conditionOf<T>(condition);
		const { client } = this;
		return waitWithin(
			this.timing,
			what,
			options,
			(signal) => waitFor(client, kind, ref, holds, { signal }),
			() => client.get(kind, ref),
		);
	}

	waitForList<T extends KubeObject>(
		kind: Kind<T>,
		selection: { namespace?: string; labelSelector?: string; fieldSelector?: string },
		condition: (objects: readonly T[]) => boolean,
		options?: WaitForOptions,
	): Promise<readonly T[]> {
		const { client } = this;
		const wait = (signal: AbortSignal) => waitForList(client, kind, selection, condition, { signal });
		return waitWithin(this.timing, kind.plural, options, wait, async () => (await client.list(kind, selection)).items);
	}

	async logs(pod: Target, options: LogOptions = {}): Promise<string> {
		const { namespace = "default", name } = refOf(pods, pod);
		const query = new URLSearchParams();
		for (const [option, value] of Object.entries(options)) if (value !== undefined) query.set(option, String(value));
		const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
		return String(await this.client.raw("GET", query.size === 0 ? path : `${path}?${query}`));
	}
}
