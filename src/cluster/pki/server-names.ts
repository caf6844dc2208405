/** Where clients of this machine find the API server. */
export const host = "127.0.0.1";

/** Names and addresses that the API server's certificate is good for. */
export function serverNames(): { dnsNames: string[]; addresses: string[] } {
	return {
		dnsNames: [
			"localhost",
			"kubernetes",
			"kubernetes.default",
			"kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local",
		],
		addresses: [host, "10.96.0.1"],
	};
}
