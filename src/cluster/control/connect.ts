import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { createClient } from "../../client/requests.ts";
import { httpTransport } from "../../client/transports/http.ts";
import { ApiError, type Status } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { Layout } from "../files/layout.ts";
import { control } from "./control-client.ts";

export interface Connection extends AsyncDisposable {
	client: Client;
	server: string;
	/**
	 * Reads the response of a path in pieces.
	 * @throws ApiError if it is rejected
	 */
	stream(path: string, query: URLSearchParams, take: (chunk: Uint8Array) => void): Promise<void>;
}

/** A client with the administrator's certificate for the running cluster of this data directory. */
export async function connect(layout: Layout, userAgent: string): Promise<Connection> {
	const { server } = await control(layout, "status");
	const read = (name: string) => readFileSync(join(layout.pki, name), "utf8");
	const transport = httpTransport({ server, ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") });
	const client = createClient(transport, { userAgent });
	const stream: Connection["stream"] = async (path, query, take) => {
		const headers = { "user-agent": userAgent };
		const response = await transport.send({
			method: "GET",
			path,
			query,
			headers,
			signal: new AbortController().signal,
		});
		if (response.status >= 400 || response.type === "watch") throw await failureOf(response);
		if (response.type === "object") take(Buffer.from(String(response.object)));
		else if (response.type === "stream") for await (const chunk of response.body) take(chunk);
	};
	return { client, server, stream, [Symbol.asyncDispose]: () => client.close() };
}

async function failureOf(response: ApiResponse): Promise<ApiError> {
	// An error response is a Status.
	if (response.type === "object") return ApiError.fromStatus(response.object as Status);
	const chunks: Uint8Array[] = [];
	if (response.type === "stream") for await (const chunk of response.body) chunks.push(chunk);
	return new ApiError("InternalError", Buffer.concat(chunks).toString());
}
