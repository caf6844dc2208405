import { microTimestamp } from "../../../core/time/clock.ts";

/** Longer lines are split into partial ones, as by containerd. */
const longestLine = 16 * 1024;
const newline = Buffer.from("\n");

/**
 * The part of the data to write now: complete lines, and parts of lines that exceed the limit. A line may arrive in two
 * pieces but must be written at once, as by containerd, for readers of the log's files.
 */
export function wholeLines(data: Buffer): number {
	const begun = data.lastIndexOf(10) + 1;
	const length = data.length - begun;
	return length > longestLine ? begun + length - (length % longestLine || longestLine) : begun;
}

/**
 * Output as lines of the CRI log format, `TIME STREAM F|P LINE`; an incomplete line becomes a partial one. The length
 * of the result depends only on the length and the lines of the data.
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
