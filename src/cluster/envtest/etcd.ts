/**
 * The `etcd` of an envtest folder. It stores nothing itself: it answers health checks, and tells the API server the
 * folder for its data, so that they live as long as this process and survive a restart of the API server.
 */
import { createServer, type Server } from "node:http";
import { join, resolve } from "node:path";
import { Flags, type FlagTable, helpText } from "./flags.ts";

const etcdFlags: FlagTable = {
	"data-dir": "value",
	"listen-client-urls": "value",
	"advertise-client-urls": "value",
	"listen-peer-urls": "value",
	"unsafe-no-fsync": "switch",
	...unused("auto-compaction-mode", "auto-compaction-retention", "initial-advertise-peer-urls", "initial-cluster"),
	...unused(
		"initial-cluster-state",
		"initial-cluster-token",
		"log-level",
		"logger",
		"max-request-bytes",
		"max-txn-ops",
	),
	...unused("name", "quota-backend-bytes", "snapshot-count", "log-outputs", "enable-v2"),
};

/** Where the API server asks for the folder. */
export const folderPath = "/coxswain/folder";

export const etcdHelp = (): string => helpText("etcd", "keeps the data of an API server of envtest", etcdFlags);

/** Resolves when it listens. */
export async function startEtcd(args: readonly string[]): Promise<{ close(): Promise<void> }> {
	const flags = new Flags(etcdFlags, args);
	const folder = join(resolve(flags.value("data-dir") ?? "default.etcd"), "coxswain");
	const urls = flags.list("listen-client-urls");
	const servers: Server[] = [];
	for (const url of urls.length > 0 ? urls : ["http://localhost:2379"])
		servers.push(await listen(new URL(url), folder));
	return {
		async close() {
			for (const server of servers) {
				server.closeAllConnections();
				await new Promise<unknown>((done) => server.close(done));
			}
		},
	};
}

function listen({ protocol, hostname, port }: URL, folder: string): Promise<Server> {
	if (protocol !== "http:") throw new Error(`--listen-client-urls: ${protocol}// is not supported, only http://`);
	const answers: Record<string, object> = {
		"/health": { health: "true", reason: "" },
		"/livez": {},
		"/readyz": {},
		"/version": { etcdserver: "3.6.0", etcdcluster: "3.6.0" },
		[folderPath]: { folder },
	};
	const server = createServer((request, response) => {
		const answer = new Map(Object.entries(answers)).get(request.url ?? "");
		response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
		response.end(JSON.stringify(answer ?? { error: "this etcd of Coxswain only keeps the data of its API server" }));
	});
	return new Promise((resolveWith, reject) => {
		server.on("error", reject);
		server.listen(Number(port), hostname.replace(/^\[|\]$/g, ""), () => resolveWith(server));
	});
}

function unused(...names: string[]): FlagTable {
	return Object.fromEntries(names.map((name) => [name, "unused"] as const));
}
