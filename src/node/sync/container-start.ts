/** Starts one container of a pod: image, configuration, creation, start, postStart hook — and says what went wrong. */

import { type Container, type Image, ImageError } from "../../runtime/runtime.ts";
import { ConfigError, type NodeContext } from "../context/node-context.ts";
import type { PodMemoryKeeper } from "../context/pod-memory.ts";
import type { PodAction } from "../pod/pod-action.ts";
import { grow } from "../pod/pod-plan.ts";
import {
	fieldPath,
	instances,
	type PodContainer,
	type PodState,
	podContainers,
	podGraceSeconds,
} from "../pod/pod-state.ts";
import { allocatedPod } from "../pod/resize.ts";
import { runHook } from "../probes/hooks.ts";

type Start = Extract<PodAction, { do: "startContainer" }>;

/** Upstream plans a pod that failed to start over after about this long. */
const retryMs = 10_000;

export class ContainerStarter {
	readonly #context: NodeContext;
	readonly #memory: PodMemoryKeeper;
	readonly #state: () => PodState;
	readonly #signal: () => AbortSignal;
	/** Ends the postStart hook under way, by container name; most pods have none. */
	#hooks: Map<string, AbortController> | undefined;

	constructor(context: NodeContext, memory: PodMemoryKeeper, state: () => PodState, signal: () => AbortSignal) {
		this.#context = context;
		this.#memory = memory;
		this.#state = state;
		this.#signal = signal;
	}

	/** Never throws for what is the pod's fault: that is remembered and shown in its status. */
	async start(action: Start): Promise<void> {
		const container = podContainers(allocatedPod(this.#state())).find(({ spec }) => spec.name === action.name);
		if (container === undefined) return;
		const image = await this.#image(container);
		if (image === undefined) return;
		const created = await this.#create(container, action.attempt, image);
		if (created === undefined) return;
		this.#memory.remember(action.name, {
			startFailure: undefined,
			heldBack: undefined,
			probes: undefined,
			...(action.backoff === undefined ? {} : { restartBackoff: action.backoff }),
		});
		await this.#run(container, created);
	}

	/** Ends the postStart hook of a container that is being stopped. */
	endHook(name: string): void {
		this.#hooks?.get(name)?.abort();
	}

	recordBackOff(name: string): void {
		const { name: podName, namespace, uid } = this.#state().pod.metadata;
		this.#record(
			name,
			"Warning",
			"BackOff",
			`Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`,
		);
	}

	async #image({ spec }: PodContainer): Promise<Image | undefined> {
		const { runtime, clock } = this.#context;
		const image = spec.image ?? "";
		const pullPolicy = spec.imagePullPolicy ?? "IfNotPresent";
		const { startFailure } = this.#memory.container(spec.name);
		const backoff = this.#memory.imageBackoff(spec.name);
		// The first look after a failure only shows that the image is being waited for.
		if (startFailure?.reason === "ErrImagePull" && backoff !== undefined) {
			const dueMs = backoff.sinceMs + backoff.delayMs;
			if (clock.now() < dueMs) {
				this.#record(spec.name, "Normal", "BackOff", `Back-off pulling image "${image}"`);
				const message = `Back-off pulling image "${image}": ErrImagePull: ${startFailure.message}`;
				this.#fail(spec.name, "ImagePullBackOff", message, dueMs);
				return undefined;
			}
		}
		const pulls = pullPolicy === "Always";
		if (pulls) this.#record(spec.name, "Normal", "Pulling", `Pulling image "${image}"`);
		const begunMs = clock.monotonicMs();
		try {
			const hasCommand = (spec.command?.length ?? 0) > 0;
			const resolved = await runtime.resolveImage(image, { pullPolicy, hasCommand });
			const took = `${Math.round(clock.monotonicMs() - begunMs)}ms`;
			const message = pulls
				? `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${resolved.sizeBytes} bytes.`
				: `Container image "${image}" already present on machine and can be accessed by the pod`;
			this.#record(spec.name, "Normal", "Pulled", message);
			this.#memory.remember(spec.name, { imageBackoff: undefined });
			return resolved;
		} catch (error) {
			this.#imageFailed(spec.name, image, error);
			return undefined;
		}
	}

	#imageFailed(name: string, image: string, error: unknown): void {
		const nowMs = this.#context.clock.now();
		const reason = error instanceof ImageError ? error.reason : "ErrImagePull";
		const message = this.#context.words(error);
		if (reason === "ErrImagePull") {
			const backoff = grow(this.#memory.imageBackoff(name), nowMs, nowMs);
			this.#memory.remember(name, { imageBackoff: backoff });
			this.#record(name, "Warning", "Failed", `Failed to pull image "${image}": ${message}`);
			this.#record(name, "Warning", "Failed", "Error: ErrImagePull");
			this.#fail(name, reason, message, nowMs + Math.min(2000, backoff.delayMs));
			return;
		}
		const text =
			reason === "ErrImageNeverPull" ? `Container image "${image}" is not present with pull policy of Never` : message;
		const event = reason === "ErrImageNeverPull" ? reason : reason === "InvalidImageName" ? "InspectFailed" : "Failed";
		this.#record(name, "Warning", event, text);
		this.#record(name, "Warning", "Failed", `Error: ${reason}`);
		this.#fail(name, reason, text, nowMs + retryMs);
	}

	async #create(container: PodContainer, attempt: number, image: Image): Promise<Container | undefined> {
		const { runtime, clock, files, containerConfig } = this.#context;
		const { spec } = container;
		const { sandboxes, memory } = this.#state();
		const pod = allocatedPod(this.#state());
		const sandbox = sandboxes.at(-1);
		if (sandbox === undefined) return undefined;
		try {
			const targetId = this.#targetOf(container);
			const config = await containerConfig(pod, container, { attempt, image, addresses: memory.addresses, targetId });
			const created = await runtime.createContainer(sandbox.id, config);
			this.#record(spec.name, "Normal", "Created", "Container created");
			await files?.linkLog(pod, created);
			return created;
		} catch (error) {
			const reason = error instanceof ConfigError ? "CreateContainerConfigError" : "CreateContainerError";
			const message = this.#context.words(error);
			this.#record(spec.name, "Warning", "Failed", `Error: ${message}`);
			this.#fail(spec.name, reason, message, clock.now() + retryMs);
			this.#context.metrics?.notStarted(pod, spec.name, reason);
			return undefined;
		}
	}

	/** Id of the container whose processes an ephemeral one is to see. @throws ConfigError where there is none yet */
	#targetOf({ targetContainerName: name = "" }: PodContainer): string | undefined {
		if (name === "") return undefined;
		const [newest] = instances(this.#state(), name);
		if (newest === undefined) throw new ConfigError(`unable to find target container ${name}`);
		return newest.id;
	}

	async #run(container: PodContainer, created: Container): Promise<void> {
		const { runtime, clock, view } = this.#context;
		const { name, lifecycle } = container.spec;
		try {
			await runtime.startContainer(created.id);
		} catch (error) {
			this.#record(name, "Warning", "Failed", `Error: ${this.#context.words(error)}`);
			this.#fail(name, "RunContainerError", this.#context.words(error), clock.now() + retryMs);
			this.#context.metrics?.notStarted(this.#state().pod, name, "RunContainerError");
			await runtime.removeContainer(created.id).catch(() => {});
			return;
		}
		await view.refresh(this.#state().pod.metadata.uid);
		// Not before the new container shows: until then it says that the old one comes back.
		this.#memory.remember(name, { stopping: undefined });
		const started = view.of(this.#state().pod.metadata.uid).containers.find(({ id }) => id === created.id);
		if (started?.state === "exited" && (started.reason === "StartError" || started.reason === "ContainerCannotRun")) {
			this.#record(name, "Warning", "Failed", `Error: ${started.message ?? started.reason}`);
			this.#context.metrics?.notStarted(this.#state().pod, name, "RunContainerError");
			return;
		}
		this.#record(name, "Normal", "Started", "Container started");
		this.#context.metrics?.started(this.#state().pod, name);
		if (lifecycle?.postStart !== undefined && started?.state === "running") {
			await this.#postStart(container, created.id);
		}
	}

	async #postStart({ spec }: PodContainer, id: string): Promise<void> {
		const { runtime } = this.#context;
		const { pod, memory } = this.#state();
		const handler = spec.lifecycle?.postStart;
		if (handler === undefined) return;
		const hook = new AbortController();
		this.#hooks ??= new Map();
		this.#hooks.set(spec.name, hook);
		const target = { pod, container: spec, id, addresses: memory.addresses };
		const signal = AbortSignal.any([hook.signal, this.#signal()]);
		const failure = await runHook(this.#context, target, handler, signal);
		this.#hooks?.delete(spec.name);
		if (failure === undefined || signal.aborted) return;
		this.#record(spec.name, "Warning", "FailedPostStartHook", "PostStartHook failed");
		this.#record(spec.name, "Normal", "Killing", "FailedPostStartHook");
		this.#memory.remember(spec.name, {
			stopping: { containerId: id, graceSeconds: podGraceSeconds(this.#state()) },
		});
		await runtime.stopContainer(id, podGraceSeconds(this.#state()) * 1000);
	}

	#fail(name: string, reason: string, message: string, retryAtMs: number): void {
		this.#memory.remember(name, { startFailure: { reason, message, retryAtMs } });
	}

	#record(name: string, type: "Normal" | "Warning", reason: string, message: string): void {
		const { pod } = this.#state();
		this.#context.events.record(pod, type, reason, message, fieldPath(pod, name));
	}
}
