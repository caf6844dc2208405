/** The interface of an embedded cluster. */
import type { Client } from "../../client/client.ts";
import type { ConnectionFaults } from "../../client/faults.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Condition, Target } from "./conditions.ts";
import type { ApplyOptions, Manifest } from "./manifests.ts";
import type { ClusterSnapshot } from "./moment.ts";
import type { ClusterNodes } from "./nodes.ts";
import type { ClusterTime, Duration } from "./time.ts";

export interface WaitForOptions {
	/** Default 60s. Virtual time advances as far as necessary, up to this limit. */
	timeout?: Duration;
}

export interface LogOptions {
	container?: string;
	/** Of the container's previous run. */
	previous?: boolean;
	tailLines?: number;
	timestamps?: boolean;
}

/** A running cluster. It runs until `stop`, or until the end of the block that declares it with `await using`. */
export interface Cluster<Time extends ClusterTime = ClusterTime> extends AsyncDisposable {
	/** Has all permissions. Returns copies that the caller may change; `managedFields` may be replaced but not edited. */
	readonly client: Client;
	/** A client that acts as another user, with the permissions of its roles. Groups that the name implies are added. */
	clientAs(user: { user: string; groups?: readonly string[] }): Client;
	readonly clock: Time;
	readonly nodes: ClusterNodes;
	/**
	 * Faults of the connections of other clients than `client`; they may be changed at any time, and count for requests
	 * and events from then on.
	 */
	readonly faults: ConnectionFaults;
	/**
	 * The cluster at this moment: all objects, the time, what pods run and how long they still take.
	 * @throws Error unless the store is in memory and nodes are simulated
	 */
	snapshot(): Promise<ClusterSnapshot>;
	/**
	 * Sets the cluster back to a moment. Clients and kubeconfig stay valid; watches end, and a new one begins after a
	 * new list. Revisions are not reused. Requests wait until it is done.
	 */
	rewind(snapshot: ClusterSnapshot): Promise<void>;
	/**
	 * Text of a kubeconfig for an administrator. The first call creates certificates and opens a port, which takes a
	 * moment.
	 */
	kubeconfig(): Promise<string>;
	/** Path of a file with this kubeconfig, which is deleted with the cluster. */
	kubeconfigPath(): Promise<string>;
	/**
	 * Server-side apply of YAML or objects, in order.
	 * @throws ApiError with kubectl's message
	 */
	apply(manifest: Manifest, options?: ApplyOptions): Promise<KubeObject[]>;
	/** Deletes the objects of a manifest; resolves when all are deleted. */
	delete(manifest: Manifest, options?: { namespace?: string } & WaitForOptions): Promise<void>;
	/**
	 * Returns the object as soon as the condition holds.
	 * @param target a name (in the namespace `default`), `namespace/name`, or an object with both
	 * @param condition the type of a condition that must be True, such as `Available` or `Complete`; `exists`; `deleted`;
	 * or a function
	 * @throws Error with the current object if this exceeds the timeout
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
	/** The log of a pod so far. */
	logs(pod: Target, options?: LogOptions): Promise<string>;
	/**
	 * Stops everything and discards data that is not in a folder. The client and other parts of the cluster cannot be
	 * used afterwards.
	 */
	stop(): Promise<void>;
}
