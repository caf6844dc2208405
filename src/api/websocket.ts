/** Logs and watches over WebSocket, for clients that can read nothing else as it comes: browsers. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ApiError } from "../core/errors.ts";
import type { ApiResponse } from "../core/exchange.ts";
import { eventLine, SharedEvent } from "./cache/event.ts";
import { refuseUpgrade } from "./sockets/refuse-upgrade.ts";

const base64Protocol = "base64.binary.k8s.io";
/** What clients may ask for; without one messages are binary too. */
const streamProtocols = ["binary.k8s.io", base64Protocol];
/** A watcher that has not read this much is cut off: it may list and watch again. */
const watchBufferBytes = 8 * 1024 * 1024;

const server = new WebSocketServer({
	noServer: true,
	perMessageDeflate: false,
	// Clients have nothing to say here.
	maxPayload: 64 * 1024,
	handleProtocols: (offered) => streamProtocols.find((protocol) => offered.has(protocol)) ?? false,
});

server.on("wsClientError", ({ message }: Error, socket: Duplex) =>
	refuseUpgrade(socket, new ApiError("BadRequest", message)),
);

/** Sends a stream as messages of bytes, and a watch as one text for each event; closes when it is over. */
export function answerOverWebSocket(
	response: Extract<ApiResponse, { type: "watch" | "stream" }>,
	incoming: IncomingMessage,
	socket: Duplex,
	head: Uint8Array,
): void {
	server.handleUpgrade(incoming, socket, Buffer.from(head), (websocket) => {
		websocket.on("error", () => websocket.terminate());
		if (response.type === "watch") sendWatch(response, websocket);
		else void sendStream(response.body, websocket).catch(() => websocket.close(1011));
	});
}

async function sendStream(body: AsyncIterable<Uint8Array>, websocket: WebSocket): Promise<void> {
	const isText = websocket.protocol === base64Protocol;
	for await (const chunk of body) {
		if (websocket.readyState !== websocket.OPEN) return;
		const message = isText ? Buffer.from(chunk).toString("base64") : chunk;
		await new Promise<void>((resolve, reject) => {
			websocket.send(message, (error) => (error ? reject(error) : resolve()));
		});
	}
	websocket.close(1000);
}

function sendWatch(response: Extract<ApiResponse, { type: "watch" }>, websocket: WebSocket): void {
	const send = (line: Buffer) => {
		if (websocket.readyState === websocket.OPEN) websocket.send(line, { binary: false });
		if (websocket.bufferedAmount > watchBufferBytes) websocket.terminate();
	};
	response.start({
		event: (event) => send(event instanceof SharedEvent ? event.line : eventLine(event.type, event.bytes)),
		end(error) {
			if (error !== undefined) {
				const status = error instanceof ApiError ? error : new ApiError("InternalError", error.message);
				send(eventLine("ERROR", Buffer.from(JSON.stringify(status.toStatus()))));
			}
			websocket.close(1000);
		},
	});
}
