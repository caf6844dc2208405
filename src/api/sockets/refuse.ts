/** Responses on connections without a valid request. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Reason, Status } from "../../core/errors.ts";
import type { Clock } from "../../core/time/clock.ts";

/** Node's error codes → the response; everything else is a bad request. */
const answers: Readonly<Record<string, [code: number, message: string]>> = {
	HPE_HEADER_OVERFLOW: [431, "the head of the request is too large"],
	ERR_HTTP_REQUEST_TIMEOUT: [408, "request did not complete within the allotted timeout"],
};

const reasons: Readonly<Record<number, Reason>> = { 400: "BadRequest", 405: "MethodNotAllowed" };

/** How long a rejected connection may still send data in transit: closed immediately, it would lose the answer. */
const lingerMs = 1000;

export interface Refusals {
	/** For data that is not HTTP, or too large. */
	malformed(error: Error & { code?: string }, socket: Duplex): void;
	/** For a client that did not send all of its request's head in time. */
	slow(socket: Duplex): void;
	/** For CONNECT, which is not supported. */
	connect(socket: Duplex): void;
}

/** Each sends the error as a Status, if it can still be sent, and closes the connection. */
export function refusals(clock: Clock): Refusals {
	return {
		malformed(error, socket) {
			const [code, message] = answers[error.code ?? ""] ?? [400, "the request is not well-formed HTTP"];
			refuse(socket, code, message, clock);
		},
		slow: (socket) => refuse(socket, 408, "request did not complete within the allotted timeout", clock),
		connect: (socket) => refuse(socket, 405, "the server does not allow this method on the requested resource", clock),
	};
}

function refuse(socket: Duplex, code: number, message: string, clock: Clock): void {
	// It is refused already, and more of the same comes.
	if (socket.writableEnded && !socket.destroyed) return;
	// What Node keeps of an answer under way: there is no other place to see that one has begun.
	const { _httpMessage: answer } = socket as { _httpMessage?: { headersSent?: boolean } };
	if (!socket.writable || answer?.headersSent === true) {
		socket.destroy();
		return;
	}
	const status: Status = {
		kind: "Status",
		apiVersion: "v1",
		metadata: {},
		status: "Failure",
		message,
		...(reasons[code] !== undefined && { reason: reasons[code] }),
		code,
	};
	const body = Buffer.from(`${JSON.stringify(status)}\n`);
	const head = [
		`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ""}`,
		"Content-Type: application/json",
		`Content-Length: ${body.length}`,
		"Connection: close",
	];
	socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
	socket.resume();
	const timer = clock.after(lingerMs, () => socket.destroy());
	socket.once("close", () => timer.cancel());
}
