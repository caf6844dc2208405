/** The cluster's time. */
import { signal } from "@preact/signals";
import { type ClockInfo, session, sessionHeader } from "./session.ts";

interface Reading {
	clock: ClockInfo;
	/** When it was read, by this browser's clock. */
	atMs: number;
}

const reading = signal<Reading | undefined>(undefined);

/** Changes every second, for ages. */
export const tick = signal(0);

export function startClock(): void {
	read(session.value?.clock);
	setInterval(() => tick.value++, 1000);
}

export function clockInfo(): ClockInfo | undefined {
	return reading.value?.clock;
}

/** Epoch milliseconds of the cluster. */
export function nowMs(): number {
	void tick.value;
	if (reading.value === undefined) return Date.now();
	const { clock, atMs } = reading.value;
	const rate = clock.kind === "system" ? 1 : (clock.rate ?? 0);
	return clock.nowMs + (performance.now() - atMs) * rate;
}

/** @throws Error with the server's reason */
export async function turn(command: object): Promise<void> {
	const response = await fetch("/clock", {
		method: "POST",
		body: JSON.stringify(command),
		headers: { ...sessionHeader(), "content-type": "application/json" },
	});
	const answer = (await response.json()) as ClockInfo & { message?: string };
	if (!response.ok) throw new Error(answer.message);
	read(answer);
}

function read(clock: ClockInfo | undefined): void {
	if (clock !== undefined) reading.value = { clock, atMs: performance.now() };
	tick.value++;
}
