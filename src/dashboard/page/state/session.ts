import { signal } from "@preact/signals";
import { csrfHeader } from "../../guard.ts";

export interface SessionInfo {
	user: string;
	groups: readonly string[];
	readOnly: boolean;
	csrf: string;
	version: string;
	clock: ClockInfo;
}

export interface ClockInfo {
	kind: "system" | "virtual";
	nowMs: number;
	rate?: number;
}

/** Undefined before it is known. */
export const session = signal<SessionInfo | undefined>(undefined);

/** The header that requests need to change something. */
export function sessionHeader(): Record<string, string> {
	return { [csrfHeader]: session.value?.csrf ?? "" };
}

/** @throws Error if nobody is logged in */
export async function loadSession(): Promise<void> {
	const response = await fetch("/session");
	if (!response.ok) throw new Error(((await response.json()) as { message: string }).message);
	session.value = (await response.json()) as SessionInfo;
}
