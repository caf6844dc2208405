/** Requests to a cluster's API without kubectl, for tests that need many or need to know which were acknowledged. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { parse } from "yaml";

export interface ApiClient {
	/** Rejects when the connection breaks before the whole answer was there. */
	send(method: string, path: string, body?: unknown): Promise<{ code: number; text: string }>;
	close(): void;
}

/** @param kubeconfig file as `cox` writes it */
export function apiClient(kubeconfig: string): ApiClient {
	const { clusters, users } = parse(readFileSync(kubeconfig, "utf8"));
	const decoded = (text: string) => Buffer.from(text, "base64").toString();
	const agent = new Agent({
		keepAlive: true,
		ca: decoded(clusters[0].cluster["certificate-authority-data"]),
		cert: decoded(users[0].user["client-certificate-data"]),
		key: decoded(users[0].user["client-key-data"]),
	});
	return {
		send: (method, path, body) =>
			new Promise((resolve, reject) => {
				const headers = { "content-type": "application/json" };
				const outgoing = request(new URL(path, clusters[0].cluster.server), { method, agent, headers }, (incoming) => {
					let text = "";
					incoming.setEncoding("utf8");
					incoming.on("data", (chunk: string) => (text += chunk));
					incoming.on("error", reject);
					incoming.on("end", () => resolve({ code: incoming.statusCode ?? 0, text }));
				});
				outgoing.on("error", reject);
				outgoing.end(body === undefined ? undefined : JSON.stringify(body));
			}),
		close: () => agent.destroy(),
	};
}
