import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/requests.ts";
import { httpTransport } from "../client/transport-http.ts";
import { control } from "./control-client.ts";
import type { Layout } from "./layout.ts";

/** A client with the admin's certificate for the running cluster of this data directory. */
export async function connect(
	layout: Layout,
	userAgent: string,
): Promise<AsyncDisposable & { client: Client; server: string }> {
	const { server } = await control(layout, "status");
	const read = (name: string) => readFileSync(join(layout.pki, name), "utf8");
	const transport = httpTransport({ server, ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") });
	const client = createClient(transport, { userAgent });
	return { client, server, [Symbol.asyncDispose]: () => client.close() };
}
