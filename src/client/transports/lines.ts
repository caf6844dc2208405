/** Splits a stream of bytes into lines of limited length. */
import { ApiError } from "../../core/errors.ts";

/** The longest line accepted: well above the largest object that a store accepts (1.5 MiB in etcd). */
const largestLineBytes = 16 * 1024 * 1024;

/**
 * Passes every complete line to `line`, without its newline; empty lines are skipped.
 * @returns a function that takes chunks; it throws ApiError if a line exceeds the limit
 */
export function lineSplitter(line: (text: string) => void): (chunk: Uint8Array) => void {
	let rest: Uint8Array[] = [];
	let restBytes = 0;
	return (chunk) => {
		let start = 0;
		for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
			const piece = chunk.subarray(start, end);
			const bytes = rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
			rest = [];
			restBytes = 0;
			start = end + 1;
			if (bytes.length > 0) line(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
		}
		if (start === chunk.length) return;
		rest.push(chunk.subarray(start));
		restBytes += chunk.length - start;
		if (restBytes > largestLineBytes)
			throw new ApiError("InternalError", `a line longer than ${largestLineBytes} bytes`);
	};
}
