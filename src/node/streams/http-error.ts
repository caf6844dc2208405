import type { Duplex } from "node:stream";
import { messageOf } from "../../core/errors.ts";

/** A request that the agent rejects: a status code and a line of text, which the API server passes on in a Status. */
export class HttpError extends Error {
	readonly code: number;
	constructor(code: number, message: string) {
		super(message);
		this.name = "HttpError";
		this.code = code;
	}
}

export function badRequest(message: string): HttpError {
	return new HttpError(400, message);
}

export function notFound(message: string): HttpError {
	return new HttpError(404, message);
}

/** Rejects an upgrade request with a line of text, which clients read, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
	const code = error instanceof HttpError ? error.code : 500;
	const text = Buffer.from(messageOf(error));
	const lines = [
		`HTTP/1.1 ${code} ${code === 404 ? "Not Found" : "Refused"}`,
		"Content-Type: text/plain; charset=utf-8",
		`Content-Length: ${text.length}`,
		"Connection: close",
	];
	socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), text]));
}
