import { PassThrough } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { FrameBoundaries, pipeFrames } from "./websocket-frames.ts";

function frame(length: number, mask = false): Buffer {
	const head =
		length < 126
			? [length]
			: length < 65_536
				? [126, length >> 8, length & 255]
				: [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
	const [first = 0, ...rest] = head;
	return Buffer.concat([
		Buffer.from([0x82, first | (mask ? 0x80 : 0), ...rest, ...(mask ? [1, 2, 3, 4] : [])]),
		Buffer.alloc(length, length),
	]);
}

const head = Buffer.from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
const parts = [head, frame(0), frame(5), frame(126), frame(70_000), frame(125, true), frame(2)];

describe("frames of a WebSocket", () => {
	test("are told apart in whatever chunks they come", () => {
		const bytes = Buffer.concat(parts);
		for (const size of [97, 1000, 64_000, bytes.length]) {
			const boundaries = new FrameBoundaries();
			const pieces: Buffer[] = [];
			for (let at = 0; at < bytes.length; at += size) pieces.push(...boundaries.split(bytes.subarray(at, at + size)));
			expect(Buffer.concat(pieces).equals(bytes), `in chunks of ${size}`).toBe(true);
			// Every end of a frame is the end of a piece.
			const ends = (all: readonly Buffer[]) => all.map((_, index) => Buffer.concat(all.slice(0, index + 1)).length);
			expect(ends(pieces)).toEqual(expect.arrayContaining(ends(parts)));
			if (size === bytes.length) expect(pieces).toHaveLength(parts.length);
		}
	});

	test("cost what they are long, however short each is", () => {
		const boundaries = new FrameBoundaries();
		boundaries.split(head);
		const joined = vi.spyOn(Buffer, "concat");
		const chunk = Buffer.concat(Array.from({ length: 4096 }, () => frame(5)));
		joined.mockClear();
		expect(boundaries.split(chunk)).toHaveLength(4096);
		expect(boundaries.split(chunk.subarray(0, 1))).toHaveLength(1);
		expect(boundaries.split(chunk.subarray(1))).toHaveLength(4096);
		const bytes = joined.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
		joined.mockRestore();
		expect(bytes).toBeLessThan(chunk.length);
	});

	test("are written one by one, each when the one before is out", async () => {
		const from = new PassThrough();
		const writes: Buffer[] = [];
		let waiting = 0;
		const to = new PassThrough({
			transform(chunk: Buffer, _encoding, done) {
				waiting++;
				expect(waiting).toBe(1);
				writes.push(chunk);
				setImmediate(() => {
					waiting--;
					done();
				});
			},
		});
		const piped = pipeFrames(from, to);
		from.end(Buffer.concat(parts));
		await piped;
		expect(writes.map(({ length }) => length)).toEqual(parts.map(({ length }) => length));
	});
});
