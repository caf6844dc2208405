import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { homeDirectory } from "./account.ts";

/** The paths of all files of one cluster. The data directory identifies the cluster. */
export interface Layout {
	data: string;
	settings: string;
	kubeconfig: string;
	/** What kubectl remembers of a cluster that another one with the same address may follow. */
	kubectlCache: string;
	/** The user's additions to the table of images. */
	images: string;
	/** The store of images, unless another one is named. */
	imageStore: string;
	/** Directory of the user's static pods. */
	manifests: string;
	/** The user's settings of registries; need not exist. */
	registries: string;
	pki: string;
	store: string;
	/** LMDB's file in it. */
	storeFile: string;
	/** Identifies the store. */
	identity: string;
	log: string;
	/** Default path of the audit log. */
	auditLog: string;
	/** PID of a server that was ready; its supervisor reads it. */
	pidFile: string;
	/** Directory of the sockets; short enough for their names, accessible only to the owner. */
	sockets: string;
	/** `cox` ↔ server process. */
	controlSocket: string;
	/** API for agents on this machine: plain HTTP, bearer tokens. */
	apiSocket: string;
	/** Asks the machine's resolvers, for agents on this machine. */
	dnsSocket: string;
	/** API for pods, with TLS: the target of 10.96.0.1:443. */
	apiTlsSocket: string;
	node(name: string): NodeLayout;
}

export interface NodeLayout {
	/** Persistent files of the node: volumes, logs, the node's view of the machine. */
	directory: string;
	/** The agent's HTTP endpoint. */
	agentSocket: string;
	/** The API of the node's own containerd, if it has one. */
	criSocket: string;
	log: string;
	/** The agent's configuration. */
	config: string;
}

/** The maximum length of a Unix socket's path (sun_path, including its terminating zero). */
const socketPathBytes = 107;
const longestSocketName = "agent-.sock".length + 63;

/**
 * @param data the `--data` option; default: COX_DATA, otherwise `.coxswain` in the user's home
 * @throws Error if there is no default because the user has no home directory
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
		kubectlCache: join(directory, "kubectl-cache"),
		images: join(directory, "images.yaml"),
		imageStore: join(directory, "images"),
		manifests: join(directory, "manifests"),
		registries: join(directory, "registries.yaml"),
		pki: join(directory, "pki"),
		store: join(directory, "store"),
		storeFile: join(directory, "store", "store", "data.mdb"),
		identity: join(directory, "store.json"),
		log: join(directory, "server.log"),
		auditLog: join(directory, "audit.log"),
		pidFile: join(directory, "server.pid"),
		sockets,
		controlSocket: join(sockets, "control.sock"),
		dnsSocket: join(sockets, "dns.sock"),
		apiSocket: join(sockets, "api.sock"),
		apiTlsSocket: join(sockets, "api-tls.sock"),
		node: (name) => ({
			directory: join(directory, "nodes", name),
			agentSocket: join(sockets, `agent-${name}.sock`),
			criSocket: join(sockets, `cri-${name}.sock`),
			log: join(directory, "nodes", name, "agent.log"),
			config: join(directory, "nodes", name, "agent.json"),
		}),
	};
}

/**
 * The cluster's name in kubeconfigs: `coxswain` for the default directory, otherwise its name and four digits that
 * distinguish it from others with that name.
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

/** Resolves symbolic links as far as the path exists: one folder is one cluster, whichever path leads to it. */
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
