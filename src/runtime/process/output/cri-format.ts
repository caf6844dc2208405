import { microTimestamp } from "../../../core/clock.ts";

/** Longer lines are cut into partial ones, as containerd does. */
const longestLine = 16 * 1024;
const newline = Buffer.from("\n");

/**
 * How much of the data is to be written now: all that has an end, and parts of what is too long for one line. A line
 * may come in two pieces, and those who read the log's files are to get it as one, as from containerd.
 */
export function wholeLines(data: Buffer): number {
	const begun = data.lastIndexOf(10) + 1;
	const length = data.length - begun;
	return length > longestLine ? begun + length - (length % longestLine || longestLine) : begun;
}

/**
 * Output as lines of the CRI log format, `TIME STREAM F|P LINE`; what has no end yet becomes a partial line. The length
 * of the result depends on the length and lines of the data only.
 */
export function criLines(stream: "stdout" | "stderr", data: Buffer, timeMs: number): Buffer {
	const head = `${microTimestamp(timeMs).slice(0, -1)}000Z ${stream} `;
	const full = Buffer.from(`${head}F `);
	const partial = Buffer.from(`${head}P `);
	const parts: Buffer[] = [];
	let start = 0;
	while (start < data.length) {
		const at = data.indexOf(10, start);
		const lineEnd = at < 0 ? data.length : at;
		const end = Math.min(lineEnd, start + longestLine);
		const complete = at >= 0 && end === lineEnd;
		parts.push(complete ? full : partial, data.subarray(start, end), newline);
		start = complete ? end + 1 : end;
	}
	return Buffer.concat(parts);
}
