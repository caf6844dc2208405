import { createDeflate } from "node:zlib";
import { describe, expect, test } from "vitest";
import { dataFrames, type Frame, FrameReader, finFlag } from "./frames.ts";
import { dictionary, HeaderDecoder, HeaderEncoder, uint32 } from "./headers.ts";

describe("SPDY frames", () => {
	test("are cut out of the stream wherever it was broken", () => {
		const bytes = Buffer.concat([
			...dataFrames(1, Buffer.from("hello"), false),
			...dataFrames(3, Buffer.from("bye"), true),
		]);
		for (let size = 1; size <= bytes.length; size++) {
			const reader = new FrameReader();
			const frames: Frame[] = [];
			for (let at = 0; at < bytes.length; at += size) frames.push(...reader.push(bytes.subarray(at, at + size)));
			expect(
				frames.map((frame) => [frame.type === "data" ? frame.streamId : 0, frame.flags, frame.payload.toString()]),
			).toEqual([
				[1, 0, "hello"],
				[3, finFlag, "bye"],
			]);
		}
	});
	test("split long data and end the stream with the last", () => {
		const frames = [...new FrameReader().push(Buffer.concat(dataFrames(1, Buffer.alloc(200_000), true)))];
		expect(frames.map(({ flags }) => flags)).toEqual([0, 0, 0, finFlag]);
	});
	test("that are too long to be meant are refused", () => {
		expect(() => [...new FrameReader().push(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]))]).toThrow("SPDY frame");
	});
});

describe("SPDY headers", () => {
	test("come back as they were sent, block after block", async () => {
		const [encoder, decoder] = [new HeaderEncoder(), new HeaderDecoder()];
		for (const headers of [
			new Map([["streamtype", "error"]]),
			new Map(),
			new Map([
				["port", "80"],
				["requestid", "1"],
			]),
		]) {
			expect(await decoder.decode(encoder.encode(headers))).toEqual(headers);
		}
		decoder.close();
	});
	test("are read from a compressor that keeps its state between blocks, as Go's does", async () => {
		const deflate = createDeflate({ dictionary });
		const decoder = new HeaderDecoder();
		for (const type of ["error", "stdout"]) {
			const text = [uint32(1), uint32(10), Buffer.from("streamtype"), uint32(type.length), Buffer.from(type)];
			deflate.write(Buffer.concat(text));
			const block = await new Promise<Buffer>((resolve) => deflate.flush(() => resolve(deflate.read())));
			expect(await decoder.decode(block)).toEqual(new Map([["streamtype", type]]));
		}
		deflate.destroy();
		decoder.close();
	});
	test("that are none end the connection", async () => {
		await expect(new HeaderDecoder().decode(Buffer.from("nonsense"))).rejects.toThrow();
	});
});
