/** HTTP/2 in the terms of serve.ts, by the stream interface, which is half as fast again as the compatible one. */
import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Clock } from "../../core/clock.ts";
import type { User } from "../../core/exchange.ts";
import type { Incoming, Reply } from "./serve.ts";

/** How long a client may take to send a body. */
const bodyTimeoutMs = 60_000;

export function http2Exchange(
	stream: ServerHttp2Stream,
	headers: IncomingHttpHeaders,
	user: User | undefined,
	clock: Clock,
): { incoming: Incoming; reply: Reply } {
	const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
	const gone = new AbortController();
	stream.once("close", () => gone.abort(new Error("the client is gone")));
	// A stream that is reset is no error of ours.
	stream.on("error", () => {});
	const timer = stream.readableEnded || headers[":method"] === "GET" ? undefined : clock.after(bodyTimeoutMs, cancel);
	stream.once("close", () => timer?.cancel());
	return {
		incoming: {
			method: headers[":method"] ?? "GET",
			target: headers[":path"] ?? "/",
			headers: plainHeaders(headers),
			user,
			signal: gone.signal,
			body: stream,
			peer: stream.session?.socket,
		},
		reply: {
			head(status, responseHeaders) {
				timer?.cancel();
				if (!stream.headersSent && !stream.destroyed) stream.respond({ ":status": status, ...responseHeaders });
			},
			write: (bytes) => !stream.destroyed && stream.write(bytes),
			async drained() {
				if (!gone.signal.aborted) await once(stream, "drain", { signal: gone.signal }).catch(() => {});
			},
			end(bytes) {
				if (!stream.destroyed) stream.end(bytes);
			},
			destroy: cancel,
			get bufferedBytes() {
				return stream.writableLength;
			},
		},
	};
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
	const plain: Record<string, string | undefined> = {};
	for (const name in headers) {
		if (name.startsWith(":")) continue;
		const value = headers[name];
		plain[name] = Array.isArray(value) ? value.join(", ") : value;
	}
	// What HTTP/1.1 calls it (RFC 9113, 8.3.1).
	plain["host"] ??= headers[":authority"];
	return plain;
}
