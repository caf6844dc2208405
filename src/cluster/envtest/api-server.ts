/**
 * The `kube-apiserver` of an envtest folder: an API server without controllers, as upstream's, unless others are asked
 * for.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { listen } from "../../api/listen.ts";
import { podSecurityConfiguration } from "../../api/pod-security/configuration-file.ts";
import { messageOf } from "../../core/errors.ts";
import { isRecord } from "../../core/object.ts";
import { systemClock } from "../../core/time/clock.ts";
import { logError } from "../../linux/process-log.ts";
import { openLmdbStore } from "../../store/lmdb/lmdb.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { readOptionFile } from "../files/option-file.ts";
import { planNodes, poolNode } from "../nodes/node-numbering.ts";
import { createSimulatedNodes } from "../nodes/simulated-nodes.ts";
import { ensureCertificates } from "../pki/certificates.ts";
import { serverNames } from "../pki/server-names.ts";
import { type ClusterNetwork, simulatedNetwork } from "../settings/cluster-network.ts";
import type { Settings } from "../settings/settings.ts";
import { apiServerFlags } from "./api-server-flags.ts";
import { fileOf, proxyCertificate, servingCertificate, tokenUsers, trustOf } from "./credentials.ts";
import { folderPath } from "./etcd.ts";
import { Flags, helpText } from "./flags.ts";

export const apiServerHelp = (): string => helpText("kube-apiserver", "an API server of envtest", apiServerFlags);

/** By envtest itself, or by every second suite: not worth a line. */
const passedByAll = ["allow-privileged", "advertise-address", "v"];

export interface Additions {
	/** Names of controllers, such as `namespace-controller`, and `kube-scheduler`; `*` for all. Default: none. */
	controllers: readonly string[];
	/** The number of simulated nodes. */
	nodes: number;
}

/** Resolves when it answers. */
export async function startApiServer(
	args: readonly string[],
	additions: Additions,
): Promise<{ close(): Promise<void> }> {
	const flags = new Flags(apiServerFlags, args);
	const unused = flags.unused.filter((name) => !passedByAll.includes(name));
	if (unused.length > 0) process.stderr.write(`flags without effect: --${unused.join(", --")}\n`);
	const closers: (() => Promise<unknown>)[] = [];
	const close = async () => {
		for (const one of closers.splice(0).reverse()) await one();
	};
	try {
		const folder = await dataFolder(flags);
		const network = networkOf(flags);
		const store = openLmdbStore({ folder: join(folder, "store"), flush: false });
		closers.push(() => store.close());
		const trust = trustOf(flags);
		const controlPlane = await startControlPlane({ store, trust, ...choices(flags, network, folder, additions) });
		closers.push(() => controlPlane.stop());
		if (additions.nodes > 0) closers.push(await addNodes(controlPlane, network, additions.nodes));
		const listener = await listen(controlPlane.api, {
			host: flags.value("bind-address") ?? "127.0.0.1",
			port: Number(flags.value("secure-port") ?? 6443),
			tls: { ...servingCertificate(flags, network), ...trust },
		});
		closers.push(() => listener.close());
	} catch (error) {
		await close();
		throw error;
	}
	return { close };
}

function choices(flags: Flags, network: ClusterNetwork, folder: string, { controllers, nodes }: Additions) {
	const [modes, tokens] = [flags.list("authorization-mode"), fileOf(flags, "token-auth-file")];
	const known = ["RBAC", "Node", "AlwaysAllow"];
	const unknown = modes.find((mode) => !known.includes(mode));
	if (unknown !== undefined) throw new Error(`--authorization-mode: ${unknown} is not supported: ${known.join(", ")}`);
	if (flags.value("anonymous-auth") === "false") throw new Error("--anonymous-auth=false is not supported");
	const proxyClient = proxyCertificate(flags);
	const key = fileOf(flags, "service-account-signing-key-file");
	const [issuer] = flags.list("service-account-issuer");
	const security = flags.value("admission-control-config-file");
	const all = controllers.includes("*");
	// Only controllers need it: clients trust the authority that envtest made.
	const authority = controllers.length === 0 ? undefined : authorityIn(folder, network);
	return {
		clock: systemClock(),
		network,
		runs: (component: string) => all || controllers.includes(component),
		history: all ? undefined : (false as const),
		...(authority !== undefined && { authority }),
		...(proxyClient !== undefined && { proxyClient }),
		...(key !== undefined && { serviceAccountKey: key }),
		...(issuer !== undefined && { serviceAccountIssuer: issuer }),
		apiAudiences: flags.list("api-audiences"),
		admissionPlugins: flags.list("enable-admission-plugins"),
		disabledAdmissionPlugins: flags.list("disable-admission-plugins"),
		allowsEverything: modes.includes("AlwaysAllow"),
		podSecurity:
			security === undefined
				? {}
				: readOptionFile("--admission-control-config-file", security, podSecurityConfiguration).meaning,
		...(tokens !== undefined && { authenticateToken: tokenUsers(tokens) }),
		...(nodes === 0 && { dialAgent: () => Promise.reject(new Error("there are no nodes")) }),
		onError: logError,
	};
}

function authorityIn(folder: string, network: ClusterNetwork) {
	return ensureCertificates(join(folder, "pki"), serverNames(network), systemClock().now()).authority;
}

/** The first range, of IPv4: the second of a dual-stack cluster has no effect. */
function networkOf(flags: Flags): ClusterNetwork {
	const [serviceCidr = simulatedNetwork.serviceCidr] = flags.list("service-cluster-ip-range");
	return { ...simulatedNetwork, serviceCidr };
}

/** @throws Error unless the etcd of an envtest folder answers */
async function dataFolder(flags: Flags): Promise<string> {
	const [server] = flags.list("etcd-servers");
	if (server === undefined) throw new Error("--etcd-servers must be specified");
	const answer: unknown = await fetch(new URL(folderPath, server)).then(
		(response) => (response.ok ? response.json() : undefined),
		(error: unknown) => {
			// fetch itself only says that it failed.
			const reason = error instanceof Error ? (error.cause ?? error) : error;
			throw new Error(`--etcd-servers: ${server} does not answer: ${messageOf(reason)}`);
		},
	);
	if (!isRecord(answer) || typeof answer["folder"] !== "string")
		throw new Error(`--etcd-servers: ${server} is not the etcd of 'cox envtest'; another one is not supported`);
	mkdirSync(answer["folder"], { recursive: true, mode: 0o700 });
	return answer["folder"];
}

async function addNodes(controlPlane: ControlPlane, network: ClusterNetwork, count: number) {
	const pool = createSimulatedNodes({ controlPlane, clock: systemClock() });
	const settings: Pick<Settings, "clusterCidr" | "nodes"> = { clusterCidr: network.clusterCidr, nodes: {} };
	planNodes(settings, { count });
	for (const [name, node] of Object.entries(settings.nodes)) await pool.add(poolNode(name, node));
	return () => pool.stop();
}
