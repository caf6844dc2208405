/** The parts of a kubeconfig that the benchmarks need. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { httpTransport } from "../src/client/transports/http.ts";
import { type Client, createClient } from "../src/index.ts";

export interface Access {
	server: string;
	/** PEM. */
	ca: string;
	cert: string;
	key: string;
}

interface Kubeconfig {
	"current-context": string;
	contexts: { name: string; context: { cluster: string; user: string } }[];
	clusters: { name: string; cluster: { server: string } & Record<string, string> }[];
	users: { name: string; user: Record<string, string> }[];
}

/** Reads the current context, whose user must have a client certificate. */
export function readKubeconfig(file: string): Access {
	const config = parse(readFileSync(file, "utf8")) as Kubeconfig;
	const context = config.contexts.find(({ name }) => name === config["current-context"])?.context;
	const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
	const user = config.users.find(({ name }) => name === context?.user)?.user;
	if (cluster === undefined || user === undefined) throw new Error(`${file} names no cluster or no user`);
	const pem = (holder: Record<string, string>, name: string) => {
		const [data, path] = [holder[`${name}-data`], holder[name]];
		if (data !== undefined) return Buffer.from(data, "base64").toString();
		if (path !== undefined) return readFileSync(path, "utf8");
		throw new Error(`${file} has no ${name}`);
	};
	return {
		server: cluster.server,
		ca: pem(cluster, "certificate-authority"),
		cert: pem(user, "client-certificate"),
		key: pem(user, "client-key"),
	};
}

/** @param connections the maximum number for requests other than watches */
export function connect(access: Access, userAgent: string, connections = 32): Client {
	return createClient(httpTransport({ ...access, connections }), { userAgent });
}
