import type { IncomingHttpHeaders } from "node:http";

/** Whether a request asks for a WebSocket (RFC 6455, 4.1). */
export function isWebSocket({ headers }: { headers: IncomingHttpHeaders }): boolean {
	return headers.upgrade?.toLowerCase() === "websocket";
}
