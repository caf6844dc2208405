/** Reads a small JSON document by HTTPS. */
import { get } from "node:https";

const limitBytes = 1024 * 1024;
const timeoutMs = 10_000;

/**
 * @param authority PEM of the required CA of the server's certificate; default: the CAs that Node.js trusts
 * @throws Error in the promise, after ten seconds at the latest; redirections are not followed
 */
export function fetchJson(url: string, authority?: string): Promise<unknown> {
	return new Promise((resolve, reject) => {
		const request = get(
			url,
			{
				headers: { accept: "application/json" },
				// A connection of its own: an issuer is asked once an hour.
				agent: false,
				signal: AbortSignal.timeout(timeoutMs),
				...(authority !== undefined && { ca: authority }),
			},
			(response) => {
				const chunks: Buffer[] = [];
				let byteCount = 0;
				response.on("error", reject);
				response.on("data", (chunk: Buffer) => {
					byteCount += chunk.length;
					if (byteCount > limitBytes) request.destroy(new Error(`${url}: more than ${limitBytes} bytes`));
					else chunks.push(chunk);
				});
				response.on("end", () => {
					if (response.statusCode !== 200) return reject(new Error(`${url}: answered ${response.statusCode}`));
					try {
						resolve(JSON.parse(Buffer.concat(chunks).toString()));
					} catch {
						reject(new Error(`${url}: no JSON`));
					}
				});
			},
		);
		request.on("error", reject);
		// Without a listener, nothing would follow.
		request.once("upgrade", ({ statusCode }, socket) => {
			socket.destroy();
			reject(new Error(`${url}: answered ${statusCode}`));
		});
	});
}
