/**
 * Access to an embedded cluster for kubectl and other clients: certificates, a port, a kubeconfig. Loaded on demand.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "../../api/handle.ts";
import { listen } from "../../api/listen.ts";
import { systemClock } from "../../core/time/clock.ts";
import { clientTrust } from "../control-plane/client-trust.ts";
import { type Certificates, ensureCertificates } from "../pki/certificates.ts";
import { kubeconfigText } from "../pki/kubeconfig.ts";
import { host, serverNames } from "../pki/server-names.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";

export interface Access {
	/** `https://127.0.0.1:PORT` */
	readonly server: string;
	readonly certificates: Certificates;
	readonly kubeconfig: string;
	readonly kubeconfigPath: string;
	close(): Promise<void>;
}

/** @param port 0: any free port */
export async function openAccess(
	api: Pick<Api, "handle" | "upgrade">,
	port: number,
	network: ClusterNetwork,
): Promise<Access> {
	const folder = mkdtempSync(join(tmpdir(), "coxswain-"));
	try {
		// Clients outside the process use real time.
		const certificates = ensureCertificates(join(folder, "pki"), serverNames(network), systemClock().now());
		const listener = await listen(api, {
			tls: { ...certificates.server, ...clientTrust(certificates.authority) },
			host,
			port,
		});
		const server = `https://${host}:${listener.port}`;
		const kubeconfig = kubeconfigText({
			// No other cluster listens on this port.
			cluster: `coxswain-${listener.port}`,
			server,
			ca: certificates.authority.ca,
			user: certificates.admin,
		});
		const kubeconfigPath = join(folder, "kubeconfig");
		writeFileSync(kubeconfigPath, kubeconfig, { mode: 0o600 });
		return {
			server,
			certificates,
			kubeconfig,
			kubeconfigPath,
			async close() {
				await listener.close();
				rmSync(folder, { recursive: true, force: true });
			},
		};
	} catch (error) {
		rmSync(folder, { recursive: true, force: true });
		throw error;
	}
}
