/**
 * Keeps the pods of a directory's files running: creates them as mirror pods, and again when they are deleted; replaces
 * those whose file has changed, and deletes those without a file. The agent runs them like any other pod.
 */
import { type FSWatcher, watch } from "node:fs";
import type { Client } from "../../client/client.ts";
import { isReason, messageOf } from "../../core/errors.ts";
import type { Draft } from "../../core/object.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isMirrorPod, mirrorAnnotation } from "../../kinds/pod/static-pod.ts";
import { shutdownReason } from "../shutdown/shutdown.ts";
import { type ManifestFiles, readManifests } from "./manifest-files.ts";

/** A file is written in several steps. */
const settleMs = 100;
const retryMs = 10_000;

export interface StaticPodsOptions {
	client: Client;
	clock: Clock;
	directory: string;
	node: { name: string; uid: string };
	/** Something is wrong with a file; called once for each problem. */
	problem(message: string): void;
}

export class StaticPods {
	readonly #options: StaticPodsOptions;
	/** The node's mirror pods in the API, by namespace and name. */
	readonly #mirrors = new Map<string, Pod>();
	#files: ManifestFiles = { pods: [], problems: [] };
	#told: ReadonlySet<string> = new Set();
	readonly #watcher: FSWatcher | undefined;
	#timer: Timer | undefined;
	#begun = false;
	#running = false;
	#again = false;
	#stopped = false;

	constructor(options: StaticPodsOptions) {
		this.#options = options;
		this.#watcher = this.#watch();
		this.#read();
	}

	/** The pod source reports a pod of the node; `current` is undefined if it no longer exists. */
	changed(current: Pod | undefined, last: Pod): void {
		if (!isMirrorPod(last)) return;
		const key = keyOf(last);
		if (current !== undefined) this.#mirrors.set(key, current);
		else if (this.#mirrors.get(key)?.metadata.uid === last.metadata.uid) {
			this.#mirrors.delete(key);
			void this.#reconcile();
		}
	}

	/** All existing pods were reported. */
	begin(): void {
		this.#begun = true;
		void this.#reconcile();
	}

	stop(): void {
		this.#stopped = true;
		this.#watcher?.close();
		this.#timer?.cancel();
	}

	#watch(): FSWatcher | undefined {
		try {
			const watcher = watch(this.#options.directory, () => this.#soon(settleMs));
			watcher.on("error", () => this.#soon(retryMs));
			return watcher;
		} catch (error) {
			this.#options.problem(messageOf(error));
			return undefined;
		}
	}

	#soon(delayMs: number): void {
		this.#timer?.cancel();
		if (this.#stopped) return;
		this.#timer = this.#options.clock.after(delayMs, () => {
			this.#read();
			void this.#reconcile();
		});
	}

	#read(): void {
		const { directory, node } = this.#options;
		try {
			this.#files = readManifests(directory, node);
		} catch (error) {
			// The pods stay as they are.
			this.#files = { ...this.#files, problems: [messageOf(error)] };
		}
		this.#tell(this.#files.problems);
	}

	#tell(problems: readonly string[]): void {
		for (const problem of problems) if (!this.#told.has(problem)) this.#options.problem(problem);
		this.#told = new Set(problems);
	}

	async #reconcile(): Promise<void> {
		this.#again = true;
		if (this.#running || !this.#begun) return;
		this.#running = true;
		while (this.#again && !this.#stopped) {
			this.#again = false;
			await this.#once();
		}
		this.#running = false;
	}

	async #once(): Promise<void> {
		const wanted = new Map(this.#files.pods.map((pod) => [keyOf(pod), pod]));
		const problems: string[] = [];
		for (const [key, pod] of wanted) if (!this.#mirrors.has(key)) problems.push(...(await this.#create(pod)));
		for (const [key, mirror] of this.#mirrors) {
			const { annotations, deletionTimestamp } = mirror.metadata;
			const hash = wanted.get(key)?.metadata.annotations?.[mirrorAnnotation];
			// It ended with its node.
			const isOver = mirror.status?.reason === shutdownReason;
			if (deletionTimestamp === undefined && (isOver || annotations?.[mirrorAnnotation] !== hash))
				problems.push(...(await this.#delete(mirror)));
		}
		if (this.#stopped) return;
		this.#tell([...this.#files.problems, ...problems]);
		if (problems.length > 0) this.#soon(retryMs);
	}

	async #create(pod: Draft<Pod>): Promise<string[]> {
		try {
			const created = await this.#options.client.create(pods, pod);
			this.#mirrors.set(keyOf(created), created);
			return [];
		} catch (error) {
			// The pod source will report it.
			if (isReason(error, "AlreadyExists")) return [];
			return [`pod ${keyOf(pod)}: ${messageOf(error)}`];
		}
	}

	async #delete({ metadata: { namespace, name, uid } }: Pod): Promise<string[]> {
		try {
			await this.#options.client.delete(pods, { namespace, name }, { preconditions: { uid } });
			return [];
		} catch (error) {
			return isReason(error, "NotFound", "Conflict") ? [] : [`pod ${namespace}/${name}: ${messageOf(error)}`];
		}
	}
}

function keyOf({ metadata }: { metadata: { namespace?: string; name?: string } }): string {
	return `${metadata.namespace}/${metadata.name}`;
}
