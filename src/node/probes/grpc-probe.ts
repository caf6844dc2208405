/** `grpc.health.v1.Health/Check` over plain HTTP/2 (gRPC health checking protocol). */
import http2 from "node:http2";
import { WireReader } from "../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../core/protobuf/wire-types.ts";
import { WireWriter } from "../../core/protobuf/wire-writer.ts";
import type { ProbeResult } from "../context/node-context.ts";
import { dialError } from "./dial-error.ts";

/** The response to a check has a few bytes. */
const longestAnswer = 64 * 1024;

export function grpcProbe(address: string, port: number, service: string, signal: AbortSignal): Promise<ProbeResult> {
	return new Promise((resolve) => {
		const host = address.includes(":") ? `[${address}]` : address;
		const session = http2.connect(`http://${host}:${port}`);
		let settled = false;
		const finish = (result: ProbeResult) => {
			if (settled) return;
			settled = true;
			signal.removeEventListener("abort", abort);
			session.destroy();
			resolve(result);
		};
		const abort = () =>
			finish({ ok: false, message: `timeout: failed to connect service "${host}:${port}" within 1s` });
		signal.addEventListener("abort", abort, { once: true });
		if (signal.aborted) abort();
		session.on("error", (error) => finish({ ok: false, message: `error: ${dialError(error)}` }));
		if (settled) return;
		const stream = session.request({
			":method": "POST",
			":path": "/grpc.health.v1.Health/Check",
			"content-type": "application/grpc",
			te: "trailers",
			"user-agent": "kube-probe/1.36",
		});
		const parts: Buffer[] = [];
		let grpcStatus: string | undefined;
		const headers = (fields: Record<string, unknown>) => {
			if (fields["grpc-status"] !== undefined) grpcStatus = String(fields["grpc-status"]);
		};
		stream.on("response", headers).on("trailers", headers);
		let byteCount = 0;
		stream.on("data", (chunk: Buffer) => {
			parts.push(chunk);
			byteCount += chunk.length;
			if (byteCount > longestAnswer) finish({ ok: false, message: "error: health rpc probe got too long an answer" });
		});
		stream.on("error", (error) => finish({ ok: false, message: `error: ${dialError(error)}` }));
		stream.on("end", () => finish(grpcResult(Buffer.concat(parts), grpcStatus)));
		stream.end(grpcRequest(service));
	});
}

/** The prefix of a message: whether it is compressed (one byte), and its length. */
const frameLength = 5;

/** Message `{ string service = 1 }` in gRPC framing. */
function grpcRequest(service: string): Buffer {
	const writer = new WireWriter();
	if (service !== "") writer.text(1, service);
	const message = writer.bytes();
	const frame = Buffer.alloc(frameLength);
	frame.writeUInt32BE(message.length, 1);
	return Buffer.concat([frame, message]);
}

const statusTag = 8 + wireTypes.varint;

/** Message `{ enum status = 1 }`, where 1 is SERVING. */
function grpcResult(answer: Buffer, grpcStatus: string | undefined): ProbeResult {
	if (grpcStatus !== undefined && grpcStatus !== "0") {
		return { ok: false, message: `error: health rpc probe failed with status ${grpcStatus}` };
	}
	const names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
	const name = names[servingStatus(answer)] ?? "UNKNOWN";
	return name === "SERVING" ? { ok: true } : { ok: false, message: `service unhealthy (responded with "${name}")` };
}

/** UNKNOWN if no status can be decoded. */
function servingStatus(answer: Buffer): number {
	if (answer.length < frameLength) return 0;
	const message = new WireReader(answer.subarray(frameLength, frameLength + answer.readUInt32BE(1)));
	let status = 0;
	try {
		for (let tag = message.tag(); tag !== 0; tag = message.tag()) {
			if (tag === statusTag) status = message.integer();
			else message.skip(tag);
		}
	} catch {
		return 0;
	}
	return status;
}
