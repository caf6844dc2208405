/** Stops one container: preStop hook, stop signal, KILL when its time is over. */
import type { NodeContext } from "../context/node-context.ts";
import type { PodMemoryKeeper } from "../context/pod-memory.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { fieldPath, type PodState, podContainers } from "../pod/pod-state.ts";
import { runHook } from "../probes/hooks.ts";

type Stop = Extract<PodAction, { do: "stopContainer" }>;

/** A container whose preStop hook took all the time still gets this long after its stop signal. */
const leastGraceSeconds = 2;

export class ContainerStopper {
	readonly #context: NodeContext;
	readonly #memory: PodMemoryKeeper;
	readonly #state: () => PodState;
	readonly #signal: () => AbortSignal;
	/** Ends the preStop hook under way, by container id; most pods have none. */
	#hooks: Map<string, AbortController> | undefined;

	constructor(context: NodeContext, memory: PodMemoryKeeper, state: () => PodState, signal: () => AbortSignal) {
		this.#context = context;
		this.#memory = memory;
		this.#state = state;
		this.#signal = signal;
	}

	/** A second stop of the same container with less time overtakes the first. */
	async stop({ name, id, graceSeconds, message, restarts }: Stop): Promise<void> {
		const { runtime, clock, events } = this.#context;
		const { pod } = this.#state();
		const overtakes = this.#memory.container(name).stopping?.containerId === id;
		this.#memory.remember(name, {
			stopping: { containerId: id, graceSeconds, ...(restarts === undefined ? {} : { restarts }) },
		});
		if (overtakes) {
			this.#hooks?.get(id)?.abort();
			await runtime.stopContainer(id, graceSeconds * 1000);
			return;
		}
		events.record(pod, "Normal", "Killing", message, fieldPath(pod, name));
		const begunMs = clock.monotonicMs();
		const hookRan = await this.#preStop(name, id, graceSeconds);
		// The time may have been shortened while the hook ran.
		const given = this.#memory.container(name).stopping?.graceSeconds ?? graceSeconds;
		const leftMs = given * 1000 - (clock.monotonicMs() - begunMs);
		await runtime.stopContainer(id, hookRan ? Math.max(leftMs, leastGraceSeconds * 1000) : given * 1000);
	}

	async #preStop(name: string, id: string, graceSeconds: number): Promise<boolean> {
		const { clock, events } = this.#context;
		const { pod, memory } = this.#state();
		const spec = podContainers(pod).find((container) => container.spec.name === name)?.spec;
		const handler = spec?.lifecycle?.preStop;
		if (spec === undefined || handler === undefined || graceSeconds === 0) return false;
		const hook = new AbortController();
		this.#hooks ??= new Map();
		this.#hooks.set(id, hook);
		const deadline = clock.after(graceSeconds * 1000, () => hook.abort());
		try {
			const target = { pod, container: spec, id, addresses: memory.addresses };
			const failure = await runHook(this.#context, target, handler, AbortSignal.any([hook.signal, this.#signal()]));
			if (failure !== undefined && !hook.signal.aborted) {
				events.record(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", fieldPath(pod, name));
			}
		} finally {
			deadline.cancel();
			this.#hooks?.delete(id);
		}
		return true;
	}
}
