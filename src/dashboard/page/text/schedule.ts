/** Schedules in words, and when they are due. */
import cronstrue from "cronstrue";
import "cronstrue/locales/de.js";
import { messageOf } from "../../../core/errors.ts";
import { parseCron } from "../../../core/time/cron.ts";
import { language } from "../state/settings.ts";

const runsShown = 10;

/** What is wrong with it, as the API server would say; undefined: nothing. */
export function scheduleProblem(schedule: string): string | undefined {
	try {
		parseCron(schedule);
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}

/** The schedule itself where there are no words for it, such as `@every 1h30m`. */
export function inWords(schedule: string): string {
	try {
		return cronstrue.toString(schedule, { locale: language.value, use24HourTimeFormat: true });
	} catch {
		return schedule;
	}
}

/** Epoch milliseconds, in order; fewer if it is not due that often within five years. */
export function nextRuns(schedule: string, timeZone: string, afterMs: number): number[] {
	const parsed = parseCron(schedule);
	const found: number[] = [];
	let at: number | undefined = afterMs;
	while (found.length < runsShown) {
		at = parsed.next(at, timeZone);
		if (at === undefined) break;
		found.push(at);
	}
	return found;
}
