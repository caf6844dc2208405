/** Waits for devices that their drivers make ready only when a claim has them (KEP-5007). */
import { objectKey } from "../../core/object.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { DeviceRequestAllocationResult, ResourceResourceClaim } from "../../kinds/generated/types.ts";
import { identityOf } from "../../kinds/resource/claim-status.ts";
import type { PodInfo } from "../model/pod-info.ts";

/** Upstream's binding timeout. */
const patienceMs = 600_000;

interface Waiting {
	/** As they are now; undefined for one that is gone. */
	claims(): (ResourceResourceClaim | undefined)[];
	timer: Timer;
	/** @param problem undefined: the devices are ready */
	done(problem: string | undefined): void;
}

/** Whether the devices of a claim are ready, or why they never will be. */
export type Readiness = { state: "ready" | "waiting" } | { state: "failed"; problem: string };

export function readinessOf(claim: ResourceResourceClaim): Readiness {
	let isReady = true;
	for (const result of claim.status?.allocation?.devices?.results ?? []) {
		const { bindingConditions = [], bindingFailureConditions = [] } = result;
		const failed = bindingFailureConditions.find((type) => holds(claim, result, type));
		if (failed !== undefined)
			return { state: "failed", problem: `claim ${objectKey(claim)}: device ${result.device} reports ${failed}` };
		isReady &&= bindingConditions.every((type) => holds(claim, result, type));
	}
	return { state: isReady ? "ready" : "waiting" };
}

function holds({ status }: ResourceResourceClaim, result: DeviceRequestAllocationResult, type: string): boolean {
	const device = status?.devices?.find((each) => identityOf(each) === identityOf(result));
	return device?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}

export class DeviceWaits {
	readonly #clock: Clock;
	/** By the pod's key. */
	readonly #waiting = new Map<string, Waiting>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/**
	 * Resolves when all claims are ready.
	 * @throws Error when they cannot be, when it takes too long, or when the wait is cancelled
	 */
	wait(pod: PodInfo, claims: Waiting["claims"]): Promise<void> {
		return new Promise((resolve, reject) => {
			const done = (problem: string | undefined) => {
				timer.cancel();
				this.#waiting.delete(pod.key);
				if (problem === undefined) resolve();
				else reject(new Error(`binding devices: ${problem}`));
			};
			const timer = this.#clock.after(patienceMs, () => done("they were not ready in time"));
			const waiting = { claims, timer, done };
			this.#waiting.set(pod.key, waiting);
			look(waiting);
		});
	}

	/** Claims have changed. */
	changed(): void {
		for (const waiting of [...this.#waiting.values()]) look(waiting);
	}

	/** The pod is gone, or is not to be bound. @returns whether it waited */
	cancel(key: string): boolean {
		const waiting = this.#waiting.get(key);
		waiting?.done("the pod is no longer to be bound");
		return waiting !== undefined;
	}

	close(): void {
		for (const key of [...this.#waiting.keys()]) this.cancel(key);
	}
}

function look({ claims, done }: Waiting): void {
	let isReady = true;
	for (const claim of claims()) {
		const found: Readiness = claim === undefined ? { state: "failed", problem: "a claim is gone" } : readinessOf(claim);
		if (found.state === "failed") {
			done(found.problem);
			return;
		}
		isReady &&= found.state === "ready";
	}
	if (isReady) done(undefined);
}
