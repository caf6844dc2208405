/** The probes of a pod's running containers: one timer for each; results go to the pod's runtime state. */

import { messageOf } from "../../core/errors.ts";
import type { Timer } from "../../core/time/clock.ts";
import type { Container as ContainerSpec, Probe } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import type { NodeContext, ProbeResult } from "../context/node-context.ts";
import { currentInstance, type PodState, type ProbeVerdict, podContainers } from "../pod/pod-state.ts";
import { afterProbe, initialProbeState, type ProbeKind, type ProbeState } from "../pod/probe-state.ts";

const kinds = ["startup", "readiness", "liveness"] as const;
const words = { startup: "Startup", readiness: "Readiness", liveness: "Liveness" } as const;

export class PodProbes {
	readonly #managed: ManagedPod;
	/** By container name; most pods have none. */
	#watched: Map<string, ContainerProbes> | undefined;

	constructor(managed: ManagedPod) {
		this.#managed = managed;
	}

	/**
	 * Begins to probe containers that have started, and stops for those that have terminated. Cheap if nothing changed.
	 */
	ensure(state: PodState): void {
		for (const { role, spec } of podContainers(state.pod)) {
			const probed = spec.startupProbe ?? spec.readinessProbe ?? spec.livenessProbe;
			if (probed === undefined || role === "ephemeral") continue;
			const current = currentInstance(state, spec.name);
			this.#watched ??= new Map();
			const watched = this.#watched.get(spec.name);
			const running = current?.state === "running";
			if (watched !== undefined && (!running || watched.id !== current?.id)) {
				watched.close();
				this.#watched.delete(spec.name);
			}
			if (!running) continue;
			const stops = this.#managed.runtimeState.container(spec.name).stopping?.containerId === current.id;
			if (!this.#watched.has(spec.name)) this.#watched.set(spec.name, this.#begin(state, spec, current));
			this.#watched.get(spec.name)?.update(stops || state.runtimeState.endingSinceMs !== undefined);
		}
	}

	close(): void {
		for (const watched of this.#watched?.values() ?? []) watched.close();
		this.#watched = undefined;
	}

	#begin(state: PodState, spec: ContainerSpec, container: Container): ContainerProbes {
		const known = this.#managed.runtimeState.container(spec.name).probes;
		const id = `${state.node.runtimeName}://${container.id}`;
		const statuses = [
			...(state.pod.status?.containerStatuses ?? []),
			...(state.pod.status?.initContainerStatuses ?? []),
		];
		// A container that was ready before the agent restarted remains ready until a probe reports otherwise.
		const before = known === undefined ? statuses.find(({ containerID }) => containerID === id) : undefined;
		return new ContainerProbes(this.#managed, spec, container, before);
	}
}

class ContainerProbes {
	readonly id: string;
	readonly #managed: ManagedPod;
	readonly #context: NodeContext;
	readonly #spec: ContainerSpec;
	readonly #startedAtMs: number;
	readonly #abort = new AbortController();
	readonly #states = new Map<ProbeKind, ProbeState>();
	readonly #timers = new Map<ProbeKind, Timer>();
	readonly #addresses: readonly string[];
	#ending = false;
	#failed: ProbeVerdict["failed"];
	#last: ProbeVerdict | undefined;

	constructor(
		managed: ManagedPod,
		spec: ContainerSpec,
		container: Container,
		before: { started?: boolean; ready: boolean } | undefined,
	) {
		this.id = container.id;
		const { context, runtimeState } = managed;
		this.#managed = managed;
		this.#context = context;
		this.#spec = spec;
		this.#addresses = runtimeState.addresses;
		this.#startedAtMs = container.startedAtMs ?? context.clock.now();
		for (const kind of kinds) {
			const probe = this.#probe(kind);
			if (probe === undefined) continue;
			const initial = initialProbeState(kind, probe, this.#startedAtMs);
			const held = kind === "startup" ? before?.started : kind === "readiness" ? before?.ready : undefined;
			this.#states.set(kind, held === true ? { ...initial, verdict: "success" } : initial);
		}
		// Reported in the worker's next turn, not during the current one.
		this.#timers.set(
			"startup",
			context.clock.after(0, () => this.#begin()),
		);
	}

	/** @param ending the container or its pod is being stopped */
	update(ending: boolean): void {
		this.#ending = ending;
	}

	close(): void {
		this.#abort.abort();
		for (const timer of this.#timers.values()) timer.cancel();
	}

	#begin(): void {
		this.#tell();
		if (!this.#started()) this.#schedule("startup");
		else this.#scheduleOthers();
	}

	#probe(kind: ProbeKind): Probe | undefined {
		return this.#spec[`${kind}Probe`];
	}

	#started(): boolean {
		const startup = this.#states.get("startup");
		return startup === undefined || startup.verdict === "success";
	}

	#scheduleOthers(): void {
		this.#schedule("readiness");
		this.#schedule("liveness");
	}

	#schedule(kind: ProbeKind): void {
		const state = this.#states.get(kind);
		if (state === undefined || this.#abort.signal.aborted) return;
		const delayMs = Math.max(state.nextAtMs - this.#context.clock.now(), 0);
		const once = () => {
			// Cannot reject: a probe that throws has failed.
			void this.#once(kind);
		};
		this.#timers.set(kind, this.#context.clock.after(delayMs, once));
	}

	async #once(kind: ProbeKind): Promise<void> {
		const probe = this.#probe(kind);
		const before = this.#states.get(kind);
		// A container that is being stopped is not killed for being unhealthy, but its readiness still matters.
		if (probe === undefined || before === undefined || (this.#ending && kind !== "readiness")) return;
		const begunMs = this.#context.clock.monotonicMs();
		const result = await this.#run(probe);
		if (this.#abort.signal.aborted) return;
		this.#count(kind, result, begunMs);
		const times = { startedAtMs: this.#startedAtMs, nowMs: this.#context.clock.now() };
		const { state, counted } = afterProbe(before, kind, probe, result.ok, times);
		this.#states.set(kind, state);
		this.#recordEvent(kind, result, counted);
		if (state.verdict === "failure" && kind !== "readiness") this.#fail(kind, probe);
		this.#tell();
		if (kind === "startup" && state.verdict === "success") this.#scheduleOthers();
		else if (this.#failed === undefined) this.#schedule(kind);
	}

	#recordEvent(kind: ProbeKind, result: ProbeResult, counted: boolean): void {
		const record = (reason: string, text: string) =>
			this.#managed.record("Warning", reason, `${words[kind]} probe ${text}`, this.#spec.name);
		if (result.ok && result.warning !== undefined) record("ProbeWarning", `warning: ${result.warning}`);
		if (!result.ok && counted) record("Unhealthy", `${result.warning ? "errored" : "failed"}: ${result.message}`);
	}

	#count(kind: ProbeKind, result: ProbeResult, begunMs: number): void {
		const { metrics, clock } = this.#context;
		const outcome = result.ok ? "successful" : result.warning === true ? "unknown" : "failed";
		metrics?.probed(this.#managed.pod, this.#spec.name, kind, outcome, clock.monotonicMs() - begunMs);
	}

	#fail(kind: "startup" | "liveness", probe: Probe): void {
		const graceSeconds = probe.terminationGracePeriodSeconds;
		this.#failed = {
			probe: kind === "startup" ? "Startup" : "Liveness",
			...(graceSeconds === undefined ? {} : { graceSeconds }),
		};
	}

	async #run(probe: Probe): Promise<ProbeResult> {
		const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
		const timeout = new AbortController();
		const timer = this.#context.clock.after(timeoutMs, () => timeout.abort(new Error("timeout")));
		const target = { pod: this.#managed.pod, container: this.#spec, id: this.id, addresses: this.#addresses };
		try {
			return await this.#context.prober(target, probe, AbortSignal.any([timeout.signal, this.#abort.signal]));
		} catch (error) {
			if (timeout.signal.aborted) return { ok: false, message: `command timed out after ${timeoutMs / 1000}s` };
			return { ok: false, message: messageOf(error), warning: true };
		} finally {
			timer.cancel();
		}
	}

	#tell(): void {
		const readiness = this.#states.get("readiness");
		const started = this.#started();
		const verdict: ProbeVerdict = {
			containerId: this.id,
			started,
			ready: started && (readiness === undefined || readiness.verdict === "success"),
			...(this.#failed === undefined ? {} : { failed: this.#failed }),
		};
		const last = this.#last;
		if (last?.started === verdict.started && last.ready === verdict.ready && last.failed === verdict.failed) return;
		this.#last = verdict;
		this.#managed.runtimeState.probed(this.#spec.name, verdict);
		this.#managed.wake();
	}
}
