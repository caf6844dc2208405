/** Writes pod statuses to the API: only the newest one, one write at a time per pod, and only changes. */

import type { Client } from "../../client/client.ts";
import { semanticEqual } from "../../core/equal.ts";
import { isReason, notFound } from "../../core/errors.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Pod, PodStatus } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { evictionReason, ownConditions } from "../pod/pod-conditions.ts";

const firstRetryMs = 500;
const longestRetryMs = 30_000;
/** Changes by another client are kept for this time (upstream's reconciliation period): they may be intended. */
const repairMs = 10_000;

/** The statuses of one pod that are being written. */
export class StatusWriter {
	readonly #client: Client;
	readonly #clock: Clock;
	/** Called when a write was acknowledged, or must be repeated. */
	readonly #written: () => void;
	#acknowledged: PodStatus | undefined;
	/** A write has failed but may have taken effect: the API is read before the next one. */
	#uncertain = false;
	/** The pod's last status and revision from the API, in a response or from the pod source. */
	#told: { status: PodStatus | undefined; revision: number };
	#wanted: { pod: Pod; status: PodStatus } | undefined;
	/** The status of the write in progress. */
	#sent: PodStatus | undefined;
	#writing = false;
	#retryMs = firstRetryMs;
	#timer: Timer | undefined;
	#repair: Timer | undefined;
	#closed = false;

	constructor(client: Client, clock: Clock, known: Pod, written: () => void) {
		this.#client = client;
		this.#clock = clock;
		this.#acknowledged = known.status;
		this.#told = told(known);
		this.#written = written;
	}

	/** The last status that the API has confirmed. */
	get acknowledged(): PodStatus | undefined {
		return this.#acknowledged;
	}

	/** Whether the API has the status. */
	has(status: PodStatus): boolean {
		return !this.#uncertain && semanticEqual(this.#acknowledged, status);
	}

	/**
	 * The API has a newer version of the pod, whose status another client may have overwritten, such as a controller that
	 * considered the node lost.
	 * @returns whether it shows the status that is being written, and no other change of the status
	 */
	observe(pod: Pod): boolean {
		const now = told(pod);
		// A version that was sent during the write is older than the response.
		if (now.revision <= this.#told.revision) return false;
		const before = this.#told;
		this.#told = now;
		if (this.#sent !== undefined && semanticEqual(this.#sent, now.status)) return true;
		if (gist(before.status) !== gist(now.status)) this.#repairLater();
		return false;
	}

	/** @param delayMs how long the status may wait for a newer one that replaces it */
	write(pod: Pod, status: PodStatus, delayMs = 0): void {
		this.#wanted = { pod, status };
		if (this.#writing || this.#closed) return;
		if (delayMs > 0) {
			this.#timer ??= this.#clock.after(delayMs, () => this.#begin());
			return;
		}
		this.#begin();
	}

	close(): void {
		this.#closed = true;
		this.#timer?.cancel();
		this.#repair?.cancel();
	}

	/** Checks after a while whether the API still has what the agent wrote, and writes it again if not. */
	#repairLater(): void {
		if (this.#closed) return;
		this.#repair ??= this.#clock.after(repairMs, () => {
			this.#repair = undefined;
			if (this.#writing || this.#uncertain) {
				this.#repairLater();
				return;
			}
			if (gist(this.#told.status) === gist(this.#acknowledged)) return;
			this.#acknowledged = this.#told.status;
			this.#written();
		});
	}

	#begin(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		if (this.#writing || this.#closed) return;
		this.#writing = true;
		void this.#run();
	}

	/** Never rejects. */
	async #run(): Promise<void> {
		while (this.#wanted !== undefined && !this.#closed) {
			const { pod, status } = this.#wanted;
			this.#wanted = undefined;
			if (this.has(status)) continue;
			this.#sent = status;
			try {
				await this.#send(pod, status);
			} catch (error) {
				this.#sent = undefined;
				// The pod source will report it.
				if (isReason(error, "NotFound")) continue;
				this.#uncertain = true;
				this.#wanted ??= { pod, status };
				const delayMs = this.#retryMs;
				this.#retryMs = Math.min(delayMs * 2, longestRetryMs);
				this.#timer = this.#clock.after(delayMs, () => this.#begin());
				break;
			}
			this.#sent = undefined;
			this.#retryMs = firstRetryMs;
			const shown = this.#told.status;
			// If both are equal, the API's object is kept: it is in memory anyway.
			const isShown = semanticEqual(shown, status);
			this.#acknowledged = isShown ? shown : status;
			// The response includes concurrent changes by other clients.
			if (!isShown && gist(shown) !== gist(status)) this.#repairLater();
			this.#written();
		}
		// Synchronously after the last check for a newer status.
		this.#writing = false;
	}

	/** @throws ApiError; NotFound also if the name now belongs to another pod */
	async #send(pod: Pod, status: PodStatus): Promise<void> {
		const { namespace, name, uid } = pod.metadata;
		if (this.#uncertain) {
			const found = await this.#client.get(pods, { namespace, name });
			if (found.metadata.uid !== uid) throw notFound(pods, name);
			this.#acknowledged = found.status;
			this.#hear(found);
			this.#uncertain = false;
		}
		const change = statusPatch(this.#acknowledged, status);
		// Only conditions of other components differ.
		if (Object.keys(change).length === 0) return;
		const patch = { metadata: { uid }, status: change };
		this.#hear(await this.#client.patch(pods, { namespace, name }, { type: "strategic", patch }, "status"));
	}

	/** The pod source may already have reported a later version than the response. */
	#hear(pod: Pod): void {
		const now = told(pod);
		if (now.revision > this.#told.revision) this.#told = now;
	}
}

function told({ status, metadata }: Pod): { status: PodStatus | undefined; revision: number } {
	return { status, revision: Number(metadata.resourceVersion) };
}

/** The fields of a status that belong to the agent but are sometimes overwritten by controllers. */
function gist(status: PodStatus | undefined): string {
	const conditions = (status?.conditions ?? [])
		.filter(({ type }) => ownConditions.has(type))
		.map((condition) => `${condition.type}=${condition.status}`);
	return `${status?.phase} ${conditions.sort().join(" ")}`;
}

/** Merged by key in strategic merge patches, so they are replaced as a whole when they change. */
const mergedLists = new Set(["podIPs", "hostIPs"]);

/**
 * A strategic merge patch from one status to another. Conditions are merged by type, so those of other components are
 * not changed.
 */
function statusPatch(old: PodStatus | undefined, status: PodStatus): Record<string, unknown> {
	const patch: Record<string, unknown> = {};
	const before: Record<string, unknown> = { ...old };
	const after: Record<string, unknown> = { ...status };
	for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
		const value = after[key];
		if (key === "conditions") {
			const changed = conditionsPatch(old, status);
			if (changed.length > 0) patch[key] = changed;
		} else if (value === undefined) patch[key] = null;
		else if (!semanticEqual(value, before[key])) {
			const replaces = mergedLists.has(key) && Array.isArray(before[key]) && Array.isArray(value);
			patch[key] = replaces ? [...value, { $patch: "replace" }] : value;
		}
	}
	return patch;
}

function conditionsPatch(old: PodStatus | undefined, status: PodStatus): object[] {
	const before = new Map((old?.conditions ?? []).map((condition) => [condition.type, condition]));
	const patch: object[] = [];
	for (const condition of status.conditions ?? []) {
		if (!ownConditions.has(condition.type) && condition.reason !== evictionReason) continue;
		const known = before.get(condition.type);
		before.delete(condition.type);
		if (known !== undefined && semanticEqual(known, condition)) continue;
		const dropped = Object.keys(known ?? {}).filter((field) => !(field in condition));
		patch.push({ ...condition, ...Object.fromEntries(dropped.map((field) => [field, null])) });
	}
	for (const type of before.keys()) if (type.startsWith("PodResize")) patch.push({ $patch: "delete", type });
	return patch;
}
