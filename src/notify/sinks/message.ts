/** A message in words. */
import { commandOf, factsOf, type Notification } from "../notification.ts";

export interface Message {
	notification: Notification;
	title: string;
	/** In place of facts, log and command, where a template says so. */
	text?: string;
	/** The last lines, without an end of line after the last. */
	log: string;
	/** Of the attempt, in epoch milliseconds. */
	nowMs: number;
}

/** The message as plain text, the title as its first line. */
export function plainText({ notification, title, text, log }: Message): string {
	if (text !== undefined) return `${title}\n\n${text}\n`;
	const facts = factsOf(notification).map(([label, value]) => `${label}: ${value}`);
	const lines = log === "" ? [] : ["", "Last lines of the log:", "", log];
	return `${[title, "", ...facts, ...lines, "", commandOf(notification)].join("\n")}\n`;
}

/** At most so many characters, from the end. */
export function lastOf(text: string, most: number): string {
	return text.length <= most ? text : `…${text.slice(text.length - most + 1)}`;
}

/** At most so many characters, from the beginning. */
export function firstOf(text: string, most: number): string {
	return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export const jsonHeaders = { "content-type": "application/json; charset=utf-8", "user-agent": "coxswain" };
