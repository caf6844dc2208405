/** The times at which objects reach their stages, as seen by a watching client. */
import { type Client, type Kind, type KubeObject, type Pod, pods } from "../../src/index.ts";
import { namespace, type Workload } from "./workloads.ts";

const stages = ["created", "pods", "bound", "running", "succeeded", "done"] as const;
type Stage = (typeof stages)[number];

const stepMs = 250;

export class Timeline {
	readonly #startMs = performance.now();
	readonly #timesMs = new Map<Stage, number[]>(stages.map((stage) => [stage, []]));
	readonly #seen = new Set<string>();

	/** Resolves when the workload, whose objects and pods have the label `app`, is done. */
	async follow(client: Client, workload: Workload, app: string): Promise<void> {
		const ending = new AbortController();
		try {
			await new Promise<void>((resolve, reject) => {
				this.#watch(client, workload.kind, app, { resolve, reject, signal: ending.signal }, (object) => {
					this.#reach("created", object);
					if (workload.isDone(object)) this.#reach("done", object);
					return this.#count("done") === workload.objects;
				});
				this.#watch(client, pods, app, { resolve, reject, signal: ending.signal }, (pod) => {
					this.#reachPod(pod);
					return false;
				});
			});
		} finally {
			ending.abort();
		}
	}

	/** Of objects that do not exist yet. */
	#watch<T extends KubeObject>(
		client: Client,
		kind: Kind<T>,
		app: string,
		{ resolve, reject, signal }: { resolve(): void; reject(error: unknown): void; signal: AbortSignal },
		isDone: (object: T) => boolean,
	): void {
		client.watch(
			kind,
			{ namespace, labelSelector: `app=${app}`, resourceVersion: "", signal },
			{
				event: ({ type, object }) => {
					if (type !== "BOOKMARK" && isDone(object)) resolve();
				},
				end: reject,
			},
		);
	}

	#reachPod(pod: Pod): void {
		const phase = pod.status?.phase;
		this.#reach("pods", pod);
		if (pod.spec.nodeName !== undefined) this.#reach("bound", pod);
		if (phase === "Running" || phase === "Succeeded") this.#reach("running", pod);
		if (phase === "Succeeded") this.#reach("succeeded", pod);
	}

	#reach(stage: Stage, { metadata: { uid } }: KubeObject): void {
		const what = `${stage} ${uid}`;
		if (this.#seen.has(what)) return;
		this.#seen.add(what);
		this.#timesMs.get(stage)?.push(performance.now() - this.#startMs);
	}

	#count(stage: Stage): number {
		return this.#timesMs.get(stage)?.length ?? 0;
	}

	/** The number of objects at each stage, every quarter of a second. */
	describe(): string[] {
		const used = stages.filter((stage) => this.#count(stage) > 0);
		const lastMs = Math.max(...used.map((stage) => this.#timesMs.get(stage)?.at(-1) ?? 0));
		const row = (cells: readonly (string | number)[]) => cells.map((cell) => String(cell).padStart(10)).join("");
		const rows = [row(["seconds", ...used])];
		for (let ms = stepMs; ms < lastMs + stepMs; ms += stepMs)
			rows.push(
				row([ms / 1000, ...used.map((stage) => this.#timesMs.get(stage)?.filter((at) => at <= ms).length ?? 0)]),
			);
		return rows;
	}
}
