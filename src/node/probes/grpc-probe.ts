/** `grpc.health.v1.Health/Check` over plain HTTP/2 (gRPC health checking protocol). */
import http2 from "node:http2";
import type { ProbeResult } from "../context/node-context.ts";
import { dialError } from "./dial-error.ts";

/** The answer to a check has a few bytes. */
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

/** Message `{ string service = 1 }` behind gRPC's five bytes. */
function grpcRequest(service: string): Buffer {
	const name = Buffer.from(service);
	const message =
		name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
	const frame = Buffer.alloc(5);
	frame.writeUInt32BE(message.length, 1);
	return Buffer.concat([frame, message]);
}

function varint(value: number): number[] {
	return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}

/** Message `{ enum status = 1 }`, where 1 is SERVING. */
function grpcResult(answer: Buffer, grpcStatus: string | undefined): ProbeResult {
	if (grpcStatus !== undefined && grpcStatus !== "0") {
		return { ok: false, message: `error: health rpc probe failed with status ${grpcStatus}` };
	}
	if (answer[5] === 0x08 && answer[6] === 1) return { ok: true };
	const names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
	return { ok: false, message: `service unhealthy (responded with "${names[answer[6] ?? 0] ?? "UNKNOWN"}")` };
}
