/** Answers of extension API servers for clients of this process, which take objects instead of bytes. */
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { ApiError, messageOf } from "../../core/errors.ts";
import type { ApiResponse, ServedWatchEvent } from "../../core/exchange.ts";
import { deepFreeze, isRecord, type KubeObject } from "../../core/object.ts";
import { jsonResponse } from "../wire/respond.ts";

const largestAnswerBytes = 64 * 1024 * 1024;

/** @throws ApiError InternalError for an answer that is not JSON, or too large */
export async function objectAnswer(response: IncomingMessage): Promise<ApiResponse> {
	const parts: Buffer[] = [];
	let length = 0;
	for await (const part of response) {
		length += part.length;
		if (length > largestAnswerBytes) throw new ApiError("InternalError", `answer over ${largestAnswerBytes} bytes`);
		parts.push(part);
	}
	return jsonResponse(parsed(Buffer.concat(parts).toString()), response.statusCode);
}

/** Begins when it is started, and ends with the answer. */
export function watchAnswer(response: IncomingMessage): ApiResponse {
	return {
		type: "watch",
		status: 200,
		headers: {},
		start(sink) {
			const follow = async () => {
				for await (const line of createInterface({ input: response })) if (line !== "") sink.event(eventFrom(line));
			};
			follow().then(
				() => sink.end(),
				(error) => sink.end(new ApiError("ServiceUnavailable", `the watch was cut: ${messageOf(error)}`)),
			);
		},
	};
}

function eventFrom(line: string): ServedWatchEvent {
	const event = parsed(line);
	if (!isRecord(event) || !isRecord(event["object"]))
		throw new ApiError("InternalError", "a watch event has no object");
	// The watch format of the API: one JSON object with type and object per line.
	const { type, object } = event as { type: ServedWatchEvent["type"]; object: KubeObject };
	const revision = Number(object.metadata?.resourceVersion ?? 0);
	return { type, object: deepFreeze(object), revision, bytes: new Uint8Array() };
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new ApiError("InternalError", "the server's answer is not JSON");
	}
}
