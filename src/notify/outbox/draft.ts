/** The result of evaluating some runs and workloads, to be written: see journal.ts. */
import { largestCommit } from "../../store/commit-size.ts";
import type { Seen } from "../events/run-events.ts";
import type { WorkloadSeen } from "../events/workload-events.ts";
import type { Notification } from "../sinks/notification.ts";
import { encodedMessage } from "./outbox.ts";
import type { QueueName } from "./queue.ts";

/** What has been processed of a run. */
export interface RunNote {
	seen: Seen;
	/** When it ended, in epoch milliseconds; infinite while more events may follow. */
	endMs: number;
	/** Revision of the run when it was processed. */
	revision: number;
}

/** The messages and notes of an evaluation of some runs and workloads. */
export class Draft {
	readonly messages: { queue: QueueName; atMs: number; notification: Notification; value: Uint8Array }[] = [];
	/** By UID. */
	readonly runs = new Map<string, RunNote>();
	/** By key; undefined: nothing has to be remembered any more. */
	readonly workloads = new Map<string, WorkloadSeen | undefined>();
	#bytes = 0;

	tell(queue: QueueName, atMs: number, notification: Notification): void {
		const value = encodedMessage({ atMs, notification });
		this.messages.push({ queue, atMs, notification, value });
		this.#bytes += value.length;
	}

	/** Whether to write it now: with the next evaluation it usually still fits in one commit. */
	get isFull(): boolean {
		const operations = this.messages.length + this.runs.size + this.workloads.size;
		return operations >= largestCommit.operations / 2 || this.#bytes >= largestCommit.bytes / 2;
	}
}
