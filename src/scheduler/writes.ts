/** The scheduler's writes: bindings, conditions, Events, and deletions for preemption. */
import type { Client } from "../client/client.ts";
import { isReason, messageOf } from "../core/errors.ts";
import type { KubeObject } from "../core/object.ts";
import { type Clock, timestamp } from "../core/time/clock.ts";
import type { PodCondition } from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { schedulingFailure } from "./condition.ts";
import type { PodInfo } from "./model/pod-info.ts";

/** Records an Event about an object, best effort. */
export type RecordEvent = (
	regarding: KubeObject,
	event: { type: "Normal" | "Warning"; reason: string; message: string },
) => void;

interface StatusPatch {
	conditions?: PodCondition[];
	nominatedNodeName?: string | null;
}

export class Writes {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #record: RecordEvent;
	readonly #schedulerName: string;

	constructor(client: Client, clock: Clock, record: RecordEvent, schedulerName: string) {
		this.#client = client;
		this.#clock = clock;
		this.#record = record;
		this.#schedulerName = schedulerName;
	}

	/** @throws ApiError */
	async bind(pod: PodInfo, nodeName: string): Promise<void> {
		const { name, namespace, uid } = pod.pod.metadata;
		await this.#client.createSubresource(pods, { name, namespace }, "binding", {
			apiVersion: "v1",
			kind: "Binding",
			metadata: { name, namespace, uid },
			target: { apiVersion: "v1", kind: "Node", name: nodeName },
		});
		const message = `Successfully assigned ${pod.key} to ${nodeName}`;
		this.#record(pod.pod, { type: "Normal", reason: "Scheduled", message });
	}

	bindingFailed(pod: PodInfo, error: unknown): void {
		const message = `binding rejected: ${messageOf(error)}`;
		this.#record(pod.pod, { type: "Warning", reason: "FailedScheduling", message });
	}

	/** @param change.nominatedNode empty: room is no longer being made */
	async refused(pod: PodInfo, message: string, change: { nominatedNode?: string }): Promise<void> {
		this.#record(pod.pod, { type: "Warning", reason: "FailedScheduling", message });
		const failure = schedulingFailure(pod.pod, "Unschedulable", message, this.#clock.now());
		const { nominatedNode } = change;
		if (failure === undefined && nominatedNode === undefined) return;
		await this.#patchStatus(pod, {
			...failure,
			...(nominatedNode === undefined ? {} : { nominatedNodeName: nominatedNode || null }),
		});
	}

	forgetNomination(pod: PodInfo): Promise<void> {
		return this.#patchStatus(pod, { nominatedNodeName: null });
	}

	/**
	 * Deletes `victim` with its grace period to make room for `pod`.
	 * @returns false if that failed and should be retried
	 */
	async preempt(victim: PodInfo, pod: PodInfo, nodeName: string): Promise<boolean> {
		const { name, namespace, uid } = victim.pod.metadata;
		const reason = "PreemptionByScheduler";
		const message = `${this.#schedulerName}: preempting to accommodate a higher priority pod`;
		const lastTransitionTime = timestamp(this.#clock.now());
		const condition = { type: "DisruptionTarget", status: "True", reason, message, lastTransitionTime };
		if (!victim.terminating) {
			await this.#patchStatus(victim, { conditions: [condition] });
			try {
				await this.#client.delete(pods, { name, namespace }, { preconditions: { uid } });
			} catch (error) {
				// Deleted, or replaced by another pod: there is room either way.
				if (!isReason(error, "NotFound", "Conflict")) return false;
			}
		}
		const what = `Preempted by pod ${pod.uid} on node ${nodeName}`;
		this.#record(victim.pod, { type: "Normal", reason: "Preempted", message: what });
		return true;
	}

	/** Best effort: conditions are for people, and the next attempt writes them again. */
	async #patchStatus(pod: PodInfo, status: StatusPatch): Promise<void> {
		const { name, namespace, uid } = pod.pod.metadata;
		const patch = { metadata: { uid }, status };
		await this.#client.patch(pods, { name, namespace }, { type: "strategic", patch }, "status").catch(() => undefined);
	}
}
