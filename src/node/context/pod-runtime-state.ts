/** The runtime state of one pod; only its methods change it. Plans read it as a `PodRuntimeState`. */
import { backoffLimits } from "../pod/pod-plan.ts";
import type {
	Backoff,
	ContainerRuntimeState,
	PodRuntimeState,
	ProbeVerdict,
	Verdict,
	WaitingReason,
} from "../pod/pod-state.ts";

/** Delays between attempts, upstream's where it defines them: doubled after each failure, up to the longest. */
const mountRetry = { firstMs: 500, longestMs: 122_000 };
/** For a volume that will probably be available soon. */
const pendingRetry = { firstMs: 20, longestMs: 500 };
const sandboxRetry = { firstMs: 1000, longestMs: backoffLimits.longestMs };
const deletionRetry = { firstMs: 1000, longestMs: 300_000 };

const noMessages: ReadonlyMap<string, string> = new Map();
const nothing: ContainerRuntimeState = {};

export class MutablePodRuntimeState implements PodRuntimeState {
	readonly observedAtMs: number;
	readonly #busy = new Set<string>();
	readonly #containers = new Map<string, ContainerRuntimeState>();
	#terminationMessages: Map<string, string> | undefined;
	#volumes: PodRuntimeState["volumes"];
	#mountDelayMs = mountRetry.firstMs;
	#pendingDelayMs = pendingRetry.firstMs;
	#sandboxFailure: PodRuntimeState["sandboxFailure"];
	#addresses: readonly string[] = [];
	#verdict: Verdict | undefined;
	#endingSinceMs: number | undefined;
	#released = false;
	#statusWritten = false;
	#deletion: PodRuntimeState["deletion"];
	#resize: PodRuntimeState["resize"];
	#resizedPod: PodRuntimeState["resizedPod"];

	/** @param mountsNothing the node has no files: volumes are always ready */
	constructor(observedAtMs: number, mountsNothing: boolean) {
		this.observedAtMs = observedAtMs;
		this.#volumes = { state: mountsNothing ? "ready" : "none" };
	}

	get busy(): ReadonlySet<string> {
		return this.#busy;
	}

	get containers(): ReadonlyMap<string, ContainerRuntimeState> {
		return this.#containers;
	}

	get terminationMessages(): ReadonlyMap<string, string> {
		return this.#terminationMessages ?? noMessages;
	}

	get volumes(): PodRuntimeState["volumes"] {
		return this.#volumes;
	}

	get sandboxFailure(): PodRuntimeState["sandboxFailure"] {
		return this.#sandboxFailure;
	}

	get addresses(): readonly string[] {
		return this.#addresses;
	}

	get verdict(): Verdict | undefined {
		return this.#verdict;
	}

	get endingSinceMs(): number | undefined {
		return this.#endingSinceMs;
	}

	get released(): boolean {
		return this.#released;
	}

	get statusWritten(): boolean {
		return this.#statusWritten;
	}

	get deletion(): PodRuntimeState["deletion"] {
		return this.#deletion;
	}

	get resize(): PodRuntimeState["resize"] {
		return this.#resize;
	}

	get resizedPod(): PodRuntimeState["resizedPod"] {
		return this.#resizedPod;
	}

	setBusy(key: string, busy: boolean): void {
		if (busy) this.#busy.add(key);
		else this.#busy.delete(key);
	}

	volumesMounted(): void {
		this.#volumes = { state: "ready" };
	}

	/** @param isPending the missing object will probably appear soon, so the next attempt is soon */
	mountFailed(nowMs: number, isPending: boolean): void {
		const delayMs = isPending ? this.#pendingDelayMs : this.#mountDelayMs;
		this.#volumes = { state: "failed", retryAtMs: nowMs + delayMs };
		if (isPending) this.#pendingDelayMs = Math.min(delayMs * 2, pendingRetry.longestMs);
		else this.#mountDelayMs = Math.min(delayMs * 2, mountRetry.longestMs);
	}

	sandboxCreated(): void {
		this.#sandboxFailure = undefined;
	}

	sandboxFailed(nowMs: number): void {
		this.#sandboxFailure = nextRetry(sandboxRetry, this.#sandboxFailure, nowMs);
	}

	setAddresses(addresses: readonly string[]): void {
		this.#addresses = addresses;
	}

	/** The pod fails for good, but has not been stopped yet. */
	judged(verdict: Verdict): void {
		this.#verdict = verdict;
	}

	/** From now on the pod is only being stopped. */
	ends(nowMs: number): void {
		this.#endingSinceMs = nowMs;
	}

	/** Sandbox, network and volumes have been released. */
	markReleased(): void {
		this.#released = true;
	}

	/** The API has the pod's last status. */
	markStatusWritten(): void {
		this.#statusWritten = true;
	}

	/** The agent asked the API to delete the pod. */
	deletionAsked(nowMs: number): void {
		this.#deletion = nextRetry(deletionRetry, this.#deletion, nowMs);
	}

	/** The result of the resource change that the API requests; undefined if the API requests a different one. */
	setResize(resize: PodRuntimeState["resize"]): void {
		this.#resize = resize;
	}

	/** The pod as a whole has these resources, in the format of `resourcesKey`. */
	podResized(sandboxId: string, resources: string): void {
		this.#resizedPod = { sandboxId, resources };
	}

	container(name: string): ContainerRuntimeState {
		return this.#containers.get(name) ?? nothing;
	}

	/** The image is available. */
	imageResolved(name: string): void {
		this.#change(name, { imageBackoff: undefined });
	}

	imageFailed(name: string, imageBackoff: Backoff): void {
		this.#change(name, { imageBackoff });
	}

	/** There is a new instance that has not been started yet. */
	created(name: string, restartBackoff: Backoff | undefined): void {
		const change = { startFailure: undefined, heldBack: undefined, probes: undefined };
		this.#change(name, restartBackoff === undefined ? change : { restartBackoff, ...change });
	}

	startFailed(name: string, startFailure: NonNullable<ContainerRuntimeState["startFailure"]>): void {
		this.#change(name, { startFailure });
	}

	/** The runtime reports the new instance: the state of stopping the previous one is obsolete. */
	replaced(name: string): void {
		this.#change(name, { stopping: undefined });
	}

	restartHeldBack(name: string, heldBack: WaitingReason): void {
		this.#change(name, { heldBack });
	}

	stops(name: string, stopping: NonNullable<ContainerRuntimeState["stopping"]>): void {
		this.#change(name, { stopping });
	}

	probed(name: string, probes: ProbeVerdict): void {
		this.#change(name, { probes });
	}

	resized(name: string, resizedTo: NonNullable<ContainerRuntimeState["resizedTo"]>): void {
		this.#change(name, { resizedTo });
	}

	/** The next plan retries all failed operations. */
	retryAtOnce(): void {
		if (this.#volumes.state === "failed") this.#volumes = { state: "none" };
		for (const [name, { startFailure }] of this.#containers) {
			if (startFailure?.reason !== "CreateContainerConfigError") continue;
			this.#change(name, { startFailure: { ...startFailure, retryAtMs: 0 } });
		}
	}

	/** The container's image has changed: failures of the previous image no longer delay this one. */
	forgetFailures(name: string): void {
		if (!this.#containers.has(name)) return;
		this.#change(name, {
			restartBackoff: undefined,
			imageBackoff: undefined,
			startFailure: undefined,
			heldBack: undefined,
		});
	}

	setTerminationMessage(id: string, message: string): void {
		this.#terminationMessages ??= new Map();
		this.#terminationMessages.set(id, message);
	}

	/** Fields with the value undefined are removed. */
	#change(name: string, change: { [K in keyof ContainerRuntimeState]?: ContainerRuntimeState[K] | undefined }): void {
		const next: Record<string, unknown> = {};
		for (const [key, value] of Object.entries(Object.assign({}, this.#containers.get(name), change)))
			if (value !== undefined) next[key] = value;
		// Only keys of ContainerRuntimeState were added.
		this.#containers.set(name, next as ContainerRuntimeState);
	}
}

function nextRetry(
	{ firstMs, longestMs }: { firstMs: number; longestMs: number },
	before: { delayMs: number } | undefined,
	nowMs: number,
): { delayMs: number; retryAtMs: number } {
	const delayMs = before === undefined ? firstMs : Math.min(before.delayMs * 2, longestMs);
	return { delayMs, retryAtMs: nowMs + delayMs };
}
