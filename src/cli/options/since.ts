import { InvalidArgumentError } from "commander";
import { durationMs } from "../../core/time/duration.ts";

/**
 * Milliseconds of `90s`, `30m`, `24h`, `1h30m`, `7d`, `2w`.
 * @throws InvalidArgumentError, to which commander adds the option's name
 */
export function sinceMs(text: string): number {
	try {
		return durationMs(text);
	} catch {
		throw new InvalidArgumentError("It is not a duration such as 30m, 24h or 7d.");
	}
}
