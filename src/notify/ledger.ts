/** Status and Events of policies: collected and written occasionally, so that messages cause no writes of their own. */

import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/events/recorder.ts";
import { conditionOf } from "../core/conditions.ts";
import { isReason } from "../core/errors.ts";
import { type Clock, type Timer, timestamp } from "../core/time/clock.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import type {
	NotificationCondition,
	NotificationPolicy,
	NotificationPolicyStatus,
	NotificationSinkStatus,
	NotificationTest,
} from "../kinds/notify/types.ts";

export interface LedgerParts {
	client: Client;
	clock: Clock;
	recorder: EventRecorder;
	/** Its current state. */
	policy(namespace: string, name: string): NotificationPolicy | undefined;
	pending(policy: NotificationPolicy, sink: string): number;
	onError?(error: unknown): void;
}

/** Changes of one policy are collected for this time. */
const writeMs = 2000;
const longestError = 500;

interface Account {
	namespace: string;
	name: string;
	uid: string;
	sinks: Map<string, NotificationSinkStatus>;
	summarized: number;
	ready?: { problems: readonly string[]; generation: number };
	delivering?: { error?: string };
	test?: NotificationTest;
	/** Since the last write. */
	newlySent: number;
	lastSentTime?: string;
	timer?: Timer;
}

export const notificationComponent = "notification-controller";

export class Ledger {
	readonly #parts: LedgerParts;
	/** By UID of the policy. */
	readonly #accounts = new Map<string, Account>();
	readonly #writing = new Set<Promise<void>>();
	#stopped = false;

	constructor(parts: LedgerParts) {
		this.#parts = parts;
	}

	sent(policy: NotificationPolicy, sink: string): void {
		const account = this.#account(policy);
		const now = timestamp(this.#parts.clock.now());
		const entry = this.#sink(account, sink);
		entry.sent = (entry.sent ?? 0) + 1;
		entry.lastSentTime = account.lastSentTime = now;
		account.newlySent++;
		account.delivering = {};
		this.#change(account);
	}

	failed(policy: NotificationPolicy, sink: string, error: string, isGivenUp: boolean): void {
		const account = this.#account(policy);
		const entry = this.#sink(account, sink);
		entry.lastErrorTime = timestamp(this.#parts.clock.now());
		entry.lastError = error.slice(0, longestError);
		if (isGivenUp) entry.failed = (entry.failed ?? 0) + 1;
		account.delivering = { error: `sink ${sink}: ${entry.lastError}` };
		const reason = isGivenUp ? "GaveUp" : "DeliveryFailed";
		this.#record(
			policy,
			"Warning",
			reason,
			`${isGivenUp ? "Gave a message up" : "Will try again"}: sink ${sink}: ${entry.lastError}`,
		);
		this.#change(account);
	}

	summarized(policy: NotificationPolicy, count: number): void {
		const account = this.#account(policy);
		account.summarized += count;
		this.#change(account);
	}

	/** @param problems of the policy; empty: none */
	checked(policy: NotificationPolicy, problems: readonly string[]): void {
		const account = this.#account(policy);
		const before = account.ready?.problems.join() ?? conditionOf(policy, "Ready")?.message ?? "";
		account.ready = { problems, generation: policy.metadata.generation ?? 0 };
		const isNews = problems.length > 0 && problems.join() !== before;
		if (isNews) this.#record(policy, "Warning", "NotReady", problems.join("; "));
		// The author of the policy is waiting for it.
		this.#change(account, isNews ? 0 : writeMs);
	}

	tested(policy: NotificationPolicy, test: NotificationTest): void {
		const account = this.#account(policy);
		account.test = test;
		this.#change(account, 0);
	}

	forget(uid: string): void {
		this.#accounts.get(uid)?.timer?.cancel();
		this.#accounts.delete(uid);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		const open = [...this.#accounts.values()].filter(({ timer }) => timer !== undefined);
		for (const account of open) account.timer?.cancel();
		await Promise.all([...this.#writing, ...open.map((account) => this.#write(account).catch(() => {}))]);
	}

	#account({ metadata, status }: NotificationPolicy): Account {
		let account = this.#accounts.get(metadata.uid);
		if (account === undefined) {
			account = {
				namespace: metadata.namespace ?? "",
				name: metadata.name,
				uid: metadata.uid,
				sinks: new Map((status?.sinks ?? []).map((sink) => [sink.name, { ...sink }])),
				summarized: status?.summarized ?? 0,
				newlySent: 0,
			};
			this.#accounts.set(metadata.uid, account);
		}
		return account;
	}

	#sink(account: Account, name: string): NotificationSinkStatus {
		const found = account.sinks.get(name) ?? { name };
		account.sinks.set(name, found);
		return found;
	}

	#change(account: Account, delayMs = writeMs): void {
		if (this.#stopped || account.timer !== undefined) return;
		account.timer = this.#parts.clock.after(delayMs, () => {
			const writing = this.#write(account)
				.catch((error: unknown) => {
					if (!isReason(error, "NotFound")) this.#parts.onError?.(error);
				})
				.finally(() => this.#writing.delete(writing));
			this.#writing.add(writing);
		});
	}

	async #write(account: Account): Promise<void> {
		delete account.timer;
		const { namespace, name, uid } = account;
		const policy = this.#parts.policy(namespace, name);
		if (policy === undefined || policy.metadata.uid !== uid) return;
		if (account.newlySent > 0) {
			const what = account.newlySent === 1 ? "1 message" : `${account.newlySent} messages`;
			this.#record(policy, "Normal", "Sent", `Sent ${what}`);
			account.newlySent = 0;
		}
		const status = statusOf(account, policy, timestamp(this.#parts.clock.now()), (sink) =>
			this.#parts.pending(policy, sink),
		);
		const patch = { metadata: { uid }, status };
		await this.#parts.client.patch(notificationPolicies, { namespace, name }, { type: "merge", patch }, "status");
	}

	#record(policy: NotificationPolicy, type: "Normal" | "Warning", reason: string, message: string): void {
		this.#parts.recorder.record({ regarding: policy, type, reason, message, component: notificationComponent });
	}
}

function statusOf(
	account: Account,
	{ spec, status: before }: NotificationPolicy,
	now: string,
	pendingOf: (sink: string) => number,
): NotificationPolicyStatus {
	const sinks = spec.sinks.map(({ name }) => ({ ...account.sinks.get(name), name, pending: pendingOf(name) }));
	const sum = (values: readonly (number | undefined)[]) => values.reduce<number>((all, value) => all + (value ?? 0), 0);
	const all = [...account.sinks.values()];
	const generation = account.ready?.generation ?? before?.observedGeneration;
	const { test = before?.lastTest, lastSentTime = before?.lastSentTime } = account;
	return {
		...(generation !== undefined && { observedGeneration: generation }),
		conditions: conditionsOf(account, before?.conditions ?? [], now),
		sent: sum(all.map(({ sent }) => sent)),
		failed: sum(all.map(({ failed }) => failed)),
		summarized: account.summarized,
		pending: sum(sinks.map(({ pending }) => pending)),
		...(lastSentTime !== undefined && { lastSentTime }),
		sinks,
		...(test !== undefined && { lastTest: test }),
	};
}

function conditionsOf(
	{ ready, delivering }: Account,
	before: readonly NotificationCondition[],
	now: string,
): NotificationCondition[] {
	const conditions: NotificationCondition[] = [];
	const put = (type: string, isTrue: boolean, reason: string, message: string) => {
		const status = isTrue ? "True" : "False";
		const old = before.find((one) => one.type === type);
		const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now;
		conditions.push({ type, status, lastTransitionTime, reason, ...(message !== "" && { message }) });
	};
	const keep = (type: string) => conditions.push(...before.filter((one) => one.type === type));
	if (ready === undefined) keep("Ready");
	else if (ready.problems.length === 0) put("Ready", true, "Complete", "");
	else put("Ready", false, reasonOf(ready.problems), ready.problems.join("; ").slice(0, 2000));
	if (delivering === undefined) keep("Delivering");
	else if (delivering.error === undefined) put("Delivering", true, "Sent", "");
	else put("Delivering", false, "LastAttemptFailed", delivering.error);
	return conditions;
}

function reasonOf([first = ""]: readonly string[]): string {
	if (first.startsWith("template.")) return "TemplateInvalid";
	return first.includes("not found") || first.includes("has no key") ? "SecretMissing" : "SinkInvalid";
}
