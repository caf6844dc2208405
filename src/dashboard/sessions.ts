/** Who looks: one-time login tickets, and the sessions that they open. All are in memory and end with the process. */
import { randomBytes } from "node:crypto";
import type { User } from "../core/exchange.ts";
import type { Clock } from "../core/time/clock.ts";

/** On whose behalf a session reads and writes. */
export interface Viewer {
	user: User;
	/** Requests that change anything are refused, whatever the user may do. */
	readOnly: boolean;
}

export interface Session extends Viewer {
	/** What requests that change something must show in a header: other sites cannot read it. */
	csrf: string;
}

/** A ticket that nobody used is gone after this time. */
const ticketMs = 120_000;
/** A session ends this long after its last request. */
const idleMs = 12 * 3_600_000;
const mostTickets = 100;
const mostSessions = 100;

interface Kept<T> {
	value: T;
	/** Monotonic milliseconds. */
	untilMs: number;
}

export class Sessions {
	/** Several clusters on one machine share the cookies of its address, whatever their ports. */
	readonly cookieName = `cox-dashboard-${secret().slice(0, 8)}`;
	readonly #clock: Clock;
	readonly #tickets = new Map<string, Kept<Viewer>>();
	readonly #sessions = new Map<string, Kept<Session>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** A ticket that opens one session. */
	ticket(viewer: Viewer): string {
		const ticket = secret();
		this.#tickets.set(ticket, { value: viewer, untilMs: this.#clock.monotonicMs() + ticketMs });
		dropOldest(this.#tickets, mostTickets);
		return ticket;
	}

	/** @returns the id of a new session; undefined if the ticket was used, has expired, or never existed */
	open(ticket: string): string | undefined {
		const kept = this.#tickets.get(ticket);
		this.#tickets.delete(ticket);
		if (kept === undefined || kept.untilMs < this.#clock.monotonicMs()) return undefined;
		const id = secret();
		this.#sessions.set(id, { value: { ...kept.value, csrf: secret() }, untilMs: this.#clock.monotonicMs() + idleMs });
		dropOldest(this.#sessions, mostSessions);
		return id;
	}

	/** @param cookies the `Cookie` header */
	find(cookies = ""): Session | undefined {
		const id = this.#idIn(cookies);
		const kept = this.#sessions.get(id);
		if (kept === undefined) return undefined;
		const nowMs = this.#clock.monotonicMs();
		if (kept.untilMs < nowMs) {
			this.#sessions.delete(id);
			return undefined;
		}
		kept.untilMs = nowMs + idleMs;
		return kept.value;
	}

	close(cookies = ""): void {
		this.#sessions.delete(this.#idIn(cookies));
	}

	#idIn(cookies: string): string {
		for (const pair of cookies.split(";")) {
			const [name, value = ""] = pair.trim().split("=", 2);
			if (name === this.cookieName) return value;
		}
		return "";
	}
}

/** 256 bits. A map finds it by its hash, whose timing tells nothing about the secret. */
function secret(): string {
	return randomBytes(32).toString("base64url");
}

function dropOldest(map: Map<string, unknown>, most: number): void {
	for (const key of map.keys()) {
		if (map.size <= most) return;
		map.delete(key);
	}
}
