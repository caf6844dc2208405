/** A message as text. */
import { commandOf, factsOf, type Notification } from "./notification.ts";

export interface Message {
	notification: Notification;
	title: string;
	/** Replaces facts, log and command if there is a template. */
	text?: string;
	/** The last lines, without a trailing newline. */
	log: string;
	/** Time of the attempt, in epoch milliseconds. */
	nowMs: number;
}

/** The message as plain text, the title as its first line. */
export function plainText({ notification, title, text, log }: Message): string {
	if (text !== undefined) return `${title}\n\n${text}\n`;
	const facts = factsOf(notification).map(([label, value]) => `${label}: ${value}`);
	const lines = log === "" ? [] : ["", "Last lines of the log:", "", log];
	return `${[title, "", ...facts, ...lines, "", commandOf(notification)].join("\n")}\n`;
}

/** The last characters, up to this number. */
export function lastOf(text: string, most: number): string {
	return text.length <= most ? text : `…${text.slice(text.length - most + 1)}`;
}

/** The first characters, up to this number. */
export function firstOf(text: string, most: number): string {
	return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export const jsonHeaders = { "content-type": "application/json; charset=utf-8", "user-agent": "coxswain" };
