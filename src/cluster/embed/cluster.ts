/** What an embedded cluster offers. */
import type { Client } from "../../client/client.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Condition, Target } from "./conditions.ts";
import type { ApplyOptions, Manifest } from "./manifests.ts";
import type { ClusterNodes } from "./nodes.ts";
import type { ClusterTime, Duration } from "./time.ts";

export interface WaitForOptions {
	/** Default 60s. Virtual time passes as far as is needed, at most this far. */
	timeout?: Duration;
}

export interface LogOptions {
	container?: string;
	/** Of the container's run before this one. */
	previous?: boolean;
	tailLines?: number;
	timestamps?: boolean;
}

/** A running cluster. It runs until `stop`, or until the end of the block that declares it with `await using`. */
export interface Cluster<Time extends ClusterTime = ClusterTime> extends AsyncDisposable {
	/** May do everything; objects it returns are copies of your own (`managedFields` may be replaced, but not edited). */
	readonly client: Client;
	/** A client as another user, with the permissions of its roles. Groups that the name implies need not be given. */
	clientAs(user: { user: string; groups?: readonly string[] }): Client;
	readonly clock: Time;
	readonly nodes: ClusterNodes;
	/**
	 * Text of a kubeconfig for an administrator. The first call makes certificates and opens a port, which takes a
	 * moment.
	 */
	kubeconfig(): Promise<string>;
	/** Path of a file with the same, which is gone when the cluster is. */
	kubeconfigPath(): Promise<string>;
	/** Server-side apply of YAML or of objects, in their order. @throws ApiError as kubectl would print it */
	apply(manifest: Manifest, options?: ApplyOptions): Promise<KubeObject[]>;
	/** Deletes what a manifest names; resolves when all of it is gone. */
	delete(manifest: Manifest, options?: { namespace?: string } & WaitForOptions): Promise<void>;
	/**
	 * The object, as soon as the condition holds for it.
	 * @param target a name (in the namespace `default`), `namespace/name`, or both apart
	 * @param condition the type of a condition that is to be True, such as `Available` or `Complete`; `exists`;
	 * `deleted`; or a function
	 * @throws Error with the object as it is then, when that takes longer than the timeout
	 */
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
	/** The objects of a kind, as soon as the condition holds for all of them together. */
	waitForList<T extends KubeObject>(
		kind: Kind<T>,
		selection: { namespace?: string; labelSelector?: string; fieldSelector?: string },
		condition: (objects: readonly T[]) => boolean,
		options?: WaitForOptions,
	): Promise<readonly T[]>;
	/** What a pod has written so far. */
	logs(pod: Target, options?: LogOptions): Promise<string>;
	/**
	 * Ends everything and forgets what was not kept in a folder. The client and all else of the cluster are of no use
	 * afterwards.
	 */
	stop(): Promise<void>;
}
