import { systemClock } from "../../core/time/clock.ts";
import { duration } from "./output.ts";

/** What takes longer is shown, and every so often how long it takes. */
const pauseMs = 1000;
const clearLine = "\r\u001b[K";

/**
 * Does something that may take a while, and says so in a line that is removed in the end. Quiet without a terminal.
 * @param what is happening: `stopping the cluster`
 */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
	if (!process.stderr.isTTY) return work();
	const clock = systemClock({ unref: true });
	const begunMs = clock.monotonicMs();
	let isShown = false;
	const show = () => {
		process.stderr.write(`${clearLine}${what} (${duration(clock.monotonicMs() - begunMs)})`);
		isShown = true;
		timer = clock.after(pauseMs, show);
	};
	let timer = clock.after(pauseMs, show);
	try {
		return await work();
	} finally {
		timer.cancel();
		if (isShown) process.stderr.write(clearLine);
	}
}
