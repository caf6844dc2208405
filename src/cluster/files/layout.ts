import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { homeDirectory } from "./account.ts";

/** Where everything of one cluster lives. The data directory names the cluster: two directories never meet. */
export interface Layout {
	data: string;
	settings: string;
	kubeconfig: string;
	/** The user's additions to the table of images. */
	images: string;
	pki: string;
	store: string;
	/** LMDB's file in there. */
	storeFile: string;
	/** Says beside the store whose it is. */
	identity: string;
	log: string;
	/** Where the audit log is when nothing else is said. */
	auditLog: string;
	/** The process id of a server that was ready; its supervisor reads it. */
	pidFile: string;
	/** Holds the sockets; short enough for their names, readable by the owner alone. */
	sockets: string;
	/** `cox` ↔ server process. */
	controlSocket: string;
	/** API for agents on this machine: plain HTTP, bearer tokens. */
	apiSocket: string;
	/** API for pods, TLS: what 10.96.0.1:443 leads to. */
	apiTlsSocket: string;
	node(name: string): NodeLayout;
}

export interface NodeLayout {
	/** Everything of the node that is kept: volumes, logs, the node's view of the machine. */
	directory: string;
	/** The agent's HTTP endpoint. */
	agentSocket: string;
	log: string;
	/** The agent's configuration, with its token. */
	config: string;
}

/** Longest path that a Unix socket may have (sun_path, with its final zero). */
const socketPathBytes = 107;
const longestSocketName = "agent-.sock".length + 63;

/**
 * @param data the `--data` option; else COX_DATA, else `.coxswain` in the user's home
 * @throws Error when nothing names one, and the user has no home
 */
export function layoutOf(data: string | undefined): Layout {
	const named = data ?? (process.env.COX_DATA || defaultData());
	if (named === undefined)
		throw new Error("this user has no home directory: specify the cluster's data directory with --data or COX_DATA");
	const directory = realPath(resolve(named));
	const sockets = socketDirectory(directory);
	return {
		data: directory,
		settings: join(directory, "cluster.json"),
		kubeconfig: join(directory, "kubeconfig"),
		images: join(directory, "images.yaml"),
		pki: join(directory, "pki"),
		store: join(directory, "store"),
		storeFile: join(directory, "store", "store", "data.mdb"),
		identity: join(directory, "store.json"),
		log: join(directory, "server.log"),
		auditLog: join(directory, "audit.log"),
		pidFile: join(directory, "server.pid"),
		sockets,
		controlSocket: join(sockets, "control.sock"),
		apiSocket: join(sockets, "api.sock"),
		apiTlsSocket: join(sockets, "api-tls.sock"),
		node: (name) => ({
			directory: join(directory, "nodes", name),
			agentSocket: join(sockets, `agent-${name}.sock`),
			log: join(directory, "nodes", name, "agent.log"),
			config: join(directory, "nodes", name, "agent.json"),
		}),
	};
}

/**
 * What kubeconfigs call the cluster: `coxswain` for the default directory, else its name and four digits that tell it
 * from others of that name.
 */
export function clusterName({ data }: Pick<Layout, "data">): string {
	const usual = defaultData();
	if (usual !== undefined && data === realPath(usual)) return "coxswain";
	const digits = createHash("sha256").update(data).digest("hex").slice(0, 4);
	const name = basename(data).replace(/[^A-Za-z0-9_.-]/g, "-");
	return name === "" ? `coxswain-${digits}` : `coxswain-${name}-${digits}`;
}

function defaultData(): string | undefined {
	const home = homeDirectory();
	return home && join(home, ".coxswain");
}

/** Without symbolic links, as far as the path exists: one folder names one cluster, whatever it is called. */
function realPath(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path));
	}
}

function socketDirectory(data: string): string {
	const inside = join(data, "run");
	if (Buffer.byteLength(inside) + 1 + longestSocketName <= socketPathBytes) return inside;
	// A deep data directory would make the socket paths too long: they move to a short place named after it.
	// Real, too: containers hide it, and hide nothing behind links.
	return join(realPath(tmpdir()), `cox-${createHash("sha256").update(data).digest("hex").slice(0, 16)}`);
}
