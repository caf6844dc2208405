/** What is to be written of a look at some runs and workloads: see journal.ts. */
import { largestCommit } from "../store/commit-size.ts";
import type { Notification } from "./notification.ts";
import { encodedMessage } from "./outbox.ts";
import type { QueueName } from "./queue.ts";
import type { Seen } from "./run-events.ts";
import type { WorkloadSeen } from "./workload-events.ts";

/** What has been looked at of a run. */
export interface RunNote {
	seen: Seen;
	/** When it ended, in epoch milliseconds; infinite while more may come of it. */
	endMs: number;
	/** Of the run when it was looked at. */
	revision: number;
}

/** What a look at some runs and workloads leads to. */
export class Draft {
	readonly messages: { queue: QueueName; atMs: number; notification: Notification; value: Uint8Array }[] = [];
	/** By UID. */
	readonly runs = new Map<string, RunNote>();
	/** By key; undefined: nothing is to be remembered of it any more. */
	readonly workloads = new Map<string, WorkloadSeen | undefined>();
	#bytes = 0;

	tell(queue: QueueName, atMs: number, notification: Notification): void {
		const value = encodedMessage({ atMs, notification });
		this.messages.push({ queue, atMs, notification, value });
		this.#bytes += value.length;
	}

	/** Whether it is time to write it: with what the next look adds it is still one commit, as a rule. */
	get isFull(): boolean {
		const operations = this.messages.length + this.runs.size + this.workloads.size;
		return operations >= largestCommit.operations / 2 || this.#bytes >= largestCommit.bytes / 2;
	}
}
