/** Whether a host is this machine. Pure. */
export function isLoopback(hostname: string): boolean {
	return hostname === "localhost" || /^127(\.\d+){3}$/.test(hostname) || hostname === "[::1]" || hostname === "::1";
}
