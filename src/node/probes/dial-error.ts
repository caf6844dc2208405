/** Translates Node's socket errors into Go's messages, which Kubernetes users know. */
export function dialError(error: unknown): string {
	const { code, address, port, message } = error as {
		code?: string;
		address?: string;
		port?: number;
		message?: string;
	};
	const words: Record<string, string> = {
		ECONNREFUSED: "connection refused",
		EHOSTUNREACH: "no route to host",
		ENETUNREACH: "network is unreachable",
		ECONNRESET: "connection reset by peer",
		ETIMEDOUT: "i/o timeout",
	};
	const word = code === undefined ? undefined : words[code];
	if (word === undefined) return message ?? String(error);
	return address === undefined ? word : `dial tcp ${address}:${port}: connect: ${word}`;
}
