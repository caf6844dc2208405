/** Responses to upgrade requests that are refused. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiResponse } from "../../../core/exchange.ts";
import { errorResponse } from "../../wire/respond.ts";

export function refuseUpgrade(socket: Duplex, error: unknown): void {
	const response = errorResponse(error);
	if (response.type === "object") answerUpgrade(socket, response);
}

/** The response to the same request without upgrade. */
export function answerUpgrade(socket: Duplex, response: Extract<ApiResponse, { type: "object" }>): void {
	if (socket.destroyed) return;
	const bytes = response.bytes();
	const body = Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes);
	const head = [
		`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`,
		...Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`),
		`Content-Length: ${body.length}`,
		"Connection: close",
	];
	socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
}
