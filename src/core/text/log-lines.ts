/** Lines of container logs in the CRI's format: `TIME stdout|stderr F|P TEXT`. Pure. */
import { parseTimestamp } from "../time/clock.ts";

export interface LogOptions {
	/** Lines from the end; undefined: all. */
	tailLines?: number;
	/** Only what was logged at or after this, epoch milliseconds. */
	sinceMs?: number;
	limitBytes?: number;
	timestamps: boolean;
	follow: boolean;
	/** Only this stream; undefined: both. */
	stream?: "stdout" | "stderr";
}

const newline = 0x0a;
const space = 0x20;

/**
 * What a client gets to see of each line, newline included unless the line goes on (tag P); undefined when it is
 * filtered out or is none of the format. Of a line in parts only the first has its time before it.
 */
export function lineRenderer(options: LogOptions): (line: Buffer) => Buffer | undefined {
	let begins = true;
	return (line) => {
		const rendered = renderLine(line, options, begins);
		if (rendered !== undefined) begins = rendered.at(-1) === newline;
		return rendered;
	};
}

function renderLine(line: Buffer, options: LogOptions, begins: boolean): Buffer | undefined {
	const first = line.indexOf(space);
	const second = line.indexOf(space, first + 1);
	const third = line.indexOf(space, second + 1);
	if (first < 0 || second < 0 || third < 0) return undefined;
	if (options.stream !== undefined && line.toString("latin1", first + 1, second) !== options.stream) return undefined;
	if (options.sinceMs !== undefined) {
		const at = parseTimestamp(line.toString("latin1", 0, first));
		if (at < options.sinceMs) return undefined;
	}
	const text = line.subarray(third + 1);
	const whole = line[second + 1] !== "P".charCodeAt(0);
	const parts: Buffer[] = options.timestamps && begins ? [line.subarray(0, first + 1), text] : [text];
	if (whole) parts.push(Buffer.from([newline]));
	return Buffer.concat(parts);
}

/** Cuts a byte stream into lines. */
export class LineSplitter {
	#rest: Buffer = Buffer.alloc(0);

	/** Whole lines, without their newlines. */
	*push(chunk: Buffer): Iterable<Buffer> {
		const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
		let start = 0;
		for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline, start)) {
			yield data.subarray(start, end);
			start = end + 1;
		}
		this.#rest = data.subarray(start);
	}
}

/** Where the last `count` lines of a block begin; undefined when it has fewer. `missing` is how many it lacks. */
export function tailOffset(block: Buffer, count: number): { offset: number } | { missing: number } {
	let found = 0;
	for (let index = block.length - 1; index >= 0; index--) {
		if (block[index] !== newline) continue;
		if (found === count) return { offset: index + 1 };
		found++;
	}
	return { missing: count - found };
}
