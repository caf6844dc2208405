/** Ends transfers that do not get on: a registry that sends a byte now and then must not hold up other pulls. */
import type { Readable } from "node:stream";
import type { Clock } from "../../core/time/clock.ts";
import { ImageFailure } from "../model/failure.ts";

/** As upstream's image-pull-progress-deadline. */
export const progressMs = 60_000;
/** What counts as progress: more than a kilobyte a second. */
export const progressBytes = 64 * 1024;

/**
 * The chunks of a body. Only the time in which it is waited for counts: a slow reader is no fault of the registry.
 * @throws ImageFailure `unreachable` if less than `progressBytes` arrive in `progressMs`
 */
export async function* paced(body: Readable, clock: Clock): AsyncGenerator<Buffer> {
	let left = { bytes: progressBytes, ms: progressMs };
	// Bodies without an encoding yield buffers.
	const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
	try {
		for (;;) {
			const sinceMs = clock.monotonicMs();
			const deadline = clock.after(left.ms, () => body.destroy(tooSlow()));
			const { done, value } = await chunks.next().finally(() => deadline.cancel());
			if (done === true) return;
			left = { bytes: left.bytes - value.length, ms: Math.max(1, left.ms - (clock.monotonicMs() - sinceMs)) };
			if (left.bytes <= 0) left = { bytes: progressBytes, ms: progressMs };
			yield value;
		}
	} finally {
		body.destroy();
	}
}

function tooSlow(): ImageFailure {
	return new ImageFailure(
		"unreachable",
		`the pull made no progress: less than ${progressBytes / 1024} KiB arrived in ${progressMs / 1000} s`,
	);
}
