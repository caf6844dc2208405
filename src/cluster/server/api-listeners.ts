/** The API server's port, its sockets, and the kubeconfig. Certificates are renewed while it runs. */
import { existsSync, readFileSync } from "node:fs";
import { type ClientTrust, type Listener, listen } from "../../api/listen.ts";
import { systemClock } from "../../core/time/clock.ts";
import { isCode } from "../../linux/descriptors.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import { clusterName, type Layout } from "../files/layout.ts";
import { CertificateRenewal } from "../pki/certificate-renewal.ts";
import { type Certificates, ensureCertificates } from "../pki/certificates.ts";
import { keepAdditions, kubeconfigText } from "../pki/kubeconfig.ts";
import { apiAddress, host, serverNames } from "../pki/server-names.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";

export interface ApiListenersOptions {
	api: Parameters<typeof listen>[0];
	layout: Layout;
	certificates: Certificates;
	trust: ClientTrust;
	/** Where pods find it. */
	network: ClusterNetwork;
	/** If it is in use, another one is chosen. */
	port: number;
	onError(what: string, error: unknown): void;
}

export interface ApiListeners {
	readonly port: number;
	/** The problem of the certificates; undefined: none. */
	readonly warning: string | undefined;
	close(): Promise<void>;
}

/** Listens on a port with TLS, on a socket with TLS, and on one without for the agents of this machine. */
export async function openApiListeners(options: ApiListenersOptions): Promise<ApiListeners> {
	const { api, layout, certificates, trust, onError } = options;
	const tls = { ...certificates.server, ...trust };
	const listeners: Listener[] = [];
	const open = async (where: { host: string; port: number } | { socketPath: string }, secure = true) => {
		const listener = await listen(api, { ...(secure ? { tls } : {}), ...where });
		listeners.push(listener);
		return listener;
	};
	const closeAll = async () => {
		for (const listener of listeners.splice(0).reverse()) await listener.close();
	};
	try {
		const listener = await open({ host, port: options.port }).catch((error: unknown) => {
			if (!isCode(error, "EADDRINUSE")) throw error;
			return open({ host, port: 0 });
		});
		const port = listener.port ?? options.port;
		await open({ socketPath: layout.apiTlsSocket });
		await open({ socketPath: layout.apiSocket }, false);
		writeKubeconfig(layout, port, certificates);
		const renewal = new CertificateRenewal({
			current: certificates,
			ensure: (nowMs) => ensureCertificates(layout.pki, serverNames(options.network), nowMs),
			use: (renewed) => {
				for (const one of listeners) one.useCertificate(renewed.server);
				writeKubeconfig(layout, port, renewed);
			},
			report: (text) => onError("certificates", text),
			// Clients check certificates in real time.
			clock: systemClock({ unref: true }),
		});
		return {
			port,
			get warning() {
				return renewal.warning;
			},
			async close() {
				renewal.stop();
				await closeAll();
			},
		};
	} catch (error) {
		await closeAll();
		throw error;
	}
}

function writeKubeconfig(layout: Layout, port: number, { authority, admin }: Certificates): void {
	const text = kubeconfigText({
		cluster: clusterName(layout),
		server: apiAddress(port),
		ca: authority.ca,
		user: admin,
	});
	const before = existsSync(layout.kubeconfig) ? readFileSync(layout.kubeconfig, "utf8") : "";
	replaceFile(layout.kubeconfig, keepAdditions(before, text));
}
