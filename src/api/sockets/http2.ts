/** HTTP/2 in the terms of serve.ts, by the stream interface, which is half as fast again as the compatible one. */
import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { User } from "../../core/exchange.ts";
import { Presence } from "./presence.ts";
import { hasRawValues, keepRawValues } from "./raw-values.ts";
import type { Reply } from "./reply.ts";
import type { Incoming } from "./serve.ts";

const ignore = () => {};

export function http2Exchange(
	stream: ServerHttp2Stream,
	headers: IncomingHttpHeaders,
	rawHeaders: readonly string[],
	peer: Incoming["peer"],
	user: User | undefined,
): { incoming: Incoming; reply: Reply } {
	const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
	const client = new Presence();
	stream.on("close", client.leave);
	// A reset stream is not an error.
	stream.on("error", ignore);
	const head = (status: number, responseHeaders: Record<string, string>) => {
		if (!stream.headersSent && !stream.destroyed) stream.respond({ ":status": status, ...responseHeaders });
	};
	const end = (bytes?: Uint8Array) => {
		if (stream.destroyed) return;
		// An unread body is not waited for (RFC 9113, 8.1).
		if (!stream.endAfterHeaders && !stream.readableEnded)
			stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
		stream.end(bytes);
	};
	return {
		incoming: {
			method: headers[":method"] ?? "GET",
			target: headers[":path"] ?? "/",
			headers: plainHeaders(headers, rawHeaders),
			user,
			client,
			body: stream,
			peer,
		},
		reply: {
			answer(status, responseHeaders, bytes) {
				head(status, responseHeaders);
				end(bytes);
			},
			head,
			write: (bytes) => !stream.destroyed && stream.write(bytes),
			async drained() {
				if (!client.isGone) await once(stream, "drain", { signal: client.signal }).catch(() => {});
			},
			end: () => end(),
			destroy: cancel,
			bufferedBytes: () => stream.writableLength,
		},
	};
}

function plainHeaders(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): Record<string, string | undefined> {
	const plain: Record<string, string | undefined> = {};
	let hasRaw = false;
	for (const name in headers) {
		if (name.startsWith(":")) continue;
		const value = headers[name];
		plain[name] = Array.isArray(value) ? value.join(", ") : value;
		hasRaw ||= hasRawValues(name);
	}
	if (hasRaw) keepRawValues(plain, rawHeaders);
	// What HTTP/1.1 calls it (RFC 9113, 8.3.1).
	plain["host"] ??= headers[":authority"];
	return plain;
}
