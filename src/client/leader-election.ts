/** One leader among several, by a Lease that the leader keeps renewing (Kubernetes documentation, "Leases"). */
import { type Clock, microTimestamp } from "../core/clock.ts";
import { isReason } from "../core/errors.ts";
import { leases } from "../kinds/core/lease.ts";
import type { Lease } from "../kinds/generated/types.ts";
import type { Client } from "./client.ts";

export interface LeaderElectionOptions {
	client: Client;
	clock: Clock;
	namespace: string;
	name: string;
	/** Unique per candidate. */
	identity: string;
	/** Others may take over if the lease has not been renewed for this duration. Default 15 s. */
	leaseMs?: number;
	/** A leader that cannot renew for this duration gives up. Less than `leaseMs`. Default 10 s. */
	renewDeadlineMs?: number;
	/** Between attempts. Default 2 s. */
	retryMs?: number;
	signal: AbortSignal;
}

/**
 * Runs `lead` while this candidate is the leader, again and again until `signal` aborts. The signal that `lead` gets
 * aborts when leadership is lost; nobody else leads before `lead` has had `leaseMs - renewDeadlineMs` to end.
 * @throws what `lead` throws
 */
export async function runAsLeader(
	options: LeaderElectionOptions,
	lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
	const candidate = new Candidate(options);
	const { clock, signal, retryMs = 2000 } = options;
	while (!signal.aborted) {
		if (await candidate.tryToHold()) await candidate.lead(lead);
		// Not all at the same time.
		else await clock.sleep(retryMs * (1 + 0.2 * clock.random()), signal).catch(() => {});
	}
}

class Candidate {
	readonly #options: LeaderElectionOptions;
	readonly #leaseMs: number;
	readonly #retryMs: number;
	readonly #renewDeadlineMs: number;
	/** The lease as last seen, and when by our own clock: clocks of different machines are not compared. */
	#seen: { renewal: string; atMs: number } | undefined;

	constructor(options: LeaderElectionOptions) {
		this.#options = options;
		this.#leaseMs = options.leaseMs ?? 15_000;
		this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
		this.#retryMs = options.retryMs ?? 2000;
	}

	/** True when the lease is ours for the next `leaseMs`. False when it is not, or that could not be found out. */
	async tryToHold(): Promise<boolean> {
		const { client, namespace, name } = this.#options;
		try {
			const lease = await client.get(leases, { namespace, name });
			if (!this.#isOurs(lease) && !this.#hasRunOut(lease)) return false;
			await client.update(leases, { ...lease, spec: this.#spec(lease) });
			return true;
		} catch (error) {
			if (!isReason(error, "NotFound")) return false;
		}
		try {
			await client.create(leases, { metadata: { namespace, name }, spec: this.#spec(undefined) });
			return true;
		} catch {
			return false;
		}
	}

	async lead(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
		const { clock, signal } = this.#options;
		const leading = new AbortController();
		const stop = () => leading.abort(signal.reason);
		signal.addEventListener("abort", stop, { once: true });
		const renewing = this.#renew(leading);
		try {
			await work(leading.signal);
		} finally {
			signal.removeEventListener("abort", stop);
			leading.abort(new Error("the work is done"));
			await renewing;
			await this.#release();
			this.#seen = { renewal: "", atMs: clock.monotonicMs() };
		}
	}

	/** Until the signal aborts, or aborts it when the lease could not be renewed in time. */
	async #renew(leading: AbortController): Promise<void> {
		const { clock } = this.#options;
		let renewedMs = clock.monotonicMs();
		while (!leading.signal.aborted) {
			try {
				await clock.sleep(this.#retryMs, leading.signal);
			} catch {
				return;
			}
			const beganMs = clock.monotonicMs();
			// An attempt that hangs must not keep us in office.
			const held = await Promise.race([this.tryToHold(), this.#deadline(renewedMs, leading.signal)]);
			if (held) renewedMs = beganMs;
			else if (clock.monotonicMs() - renewedMs >= this.#renewDeadlineMs) leading.abort(new Error("the lease was lost"));
		}
	}

	async #deadline(renewedMs: number, signal: AbortSignal): Promise<false> {
		const { clock } = this.#options;
		const leftMs = renewedMs + this.#renewDeadlineMs - clock.monotonicMs();
		await clock.sleep(Math.max(leftMs, 0), signal).catch(() => {});
		return false;
	}

	/** Lets the next candidate take over immediately. */
	async #release(): Promise<void> {
		const { client, namespace, name } = this.#options;
		try {
			const lease = await client.get(leases, { namespace, name });
			if (!this.#isOurs(lease)) return;
			await client.update(leases, { ...lease, spec: { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1 } });
		} catch {
			// Then it runs out.
		}
	}

	#isOurs(lease: Lease): boolean {
		return lease.spec.holderIdentity === this.#options.identity;
	}

	#hasRunOut(lease: Lease): boolean {
		const { clock } = this.#options;
		if (lease.spec.holderIdentity === undefined || lease.spec.holderIdentity === "") return true;
		const renewal = `${lease.spec.holderIdentity} ${lease.spec.renewTime} ${lease.metadata.resourceVersion}`;
		if (this.#seen?.renewal !== renewal) this.#seen = { renewal, atMs: clock.monotonicMs() };
		const leaseMs = (lease.spec.leaseDurationSeconds ?? this.#leaseMs / 1000) * 1000;
		return clock.monotonicMs() - this.#seen.atMs >= leaseMs;
	}

	#spec(old: Lease | undefined): Lease["spec"] {
		const { clock, identity } = this.#options;
		const now = microTimestamp(clock.now());
		const same = old?.spec.holderIdentity === identity;
		return {
			...old?.spec,
			holderIdentity: identity,
			leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
			renewTime: now,
			acquireTime: same ? (old?.spec.acquireTime ?? now) : now,
			leaseTransitions: (old?.spec.leaseTransitions ?? (same ? 0 : -1)) + (same ? 0 : 1),
		};
	}
}
