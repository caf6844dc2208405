/** Logs and watches over WebSocket, for clients that can stream nothing else: browsers. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ApiError } from "../../../core/errors.ts";
import type { ApiResponse } from "../../../core/exchange.ts";
import { Presence } from "../presence.ts";
import { serveWatch, type WatchConnections, type WatchReply } from "../serve-watch.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";

const base64Protocol = "base64.binary.k8s.io";
/** The subprotocols; without one, messages are binary, too. */
const streamProtocols = ["binary.k8s.io", base64Protocol];

const server = new WebSocketServer({
	noServer: true,
	perMessageDeflate: false,
	// Messages of clients are ignored.
	maxPayload: 64 * 1024,
	handleProtocols: (offered) => streamProtocols.find((protocol) => offered.has(protocol)) ?? false,
});

server.on("wsClientError", ({ message }: Error, socket: Duplex) =>
	refuseUpgrade(socket, new ApiError("BadRequest", message)),
);

export interface Asked {
	incoming: IncomingMessage;
	socket: Duplex;
	head: Uint8Array;
	connections: WatchConnections;
}

/** Sends a stream as messages of bytes, and a watch as one text for each event; closes when it is over. */
export function answerOverWebSocket(
	response: Extract<ApiResponse, { type: "watch" | "stream" }>,
	{ incoming, socket, head, connections }: Asked,
): void {
	server.handleUpgrade(incoming, socket, Buffer.from(head), (websocket) => {
		websocket.on("error", () => websocket.terminate());
		const client = new Presence();
		websocket.on("close", client.leave);
		if (response.type === "watch") {
			const reply = watchReply(websocket, socket, client, response.frames?.headBytes);
			serveWatch(response, reply, client, connections);
		} else void sendStream(response.body, websocket).catch(() => websocket.close(1011));
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

/** A message for each event: text for JSON, binary for frames without their heads. */
function watchReply(websocket: WebSocket, socket: Duplex, client: Presence, headBytes?: number): WatchReply {
	const binary = headBytes !== undefined;
	return {
		head() {},
		writeLines(lines) {
			for (const line of lines)
				if (websocket.readyState === websocket.OPEN) websocket.send(line.subarray(headBytes), { binary });
			return !socket.writableNeedDrain;
		},
		async drained() {
			if (!client.isGone && socket.writableNeedDrain)
				await once(socket, "drain", { signal: client.signal }).catch(() => {});
		},
		end: () => websocket.close(1000),
		destroy: () => websocket.terminate(),
		bufferedBytes: () => websocket.bufferedAmount,
	};
}
