/** A small OpenID Connect issuer on loopback, for tests: it publishes its keys and signs what it is asked to. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { testCertificates } from "./certificates.ts";

type Claims = Record<string, unknown>;

export interface TestIssuer {
	readonly url: string;
	/** PEM of the CA of its certificate. */
	readonly ca: string;
	/** What it was asked for, as paths. */
	readonly asked: string[];
	/**
	 * Signs with its newest key. `iss`, `aud` (`cox`), `exp` (in an hour) are added.
	 * @param key another key than its own
	 */
	token(claims?: Claims, options?: { kid?: string; key?: KeyObject }): string;
	/** Gets a new key. @param isPublished false: only its own tokens tell */
	rotate(isPublished?: boolean): void;
	/** Answers everything by this instead, from now on; undefined: as usual again. */
	answerBy(answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void;
	close(): Promise<void>;
}

/** @param nowMs its certificate and tokens hold from then on */
export async function startTestIssuer(nowMs: number): Promise<TestIssuer> {
	const certificates = await testCertificates(nowMs, "issuer-ca");
	const asked: string[] = [];
	let keys: { key: KeyObject; kid: string; isPublished: boolean }[] = [];
	let special: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
	const rotate = (isPublished = true) => {
		const privateKey = rsaKey(keys.length);
		const text = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
		keys = [
			{ key: privateKey, kid: createHash("sha256").update(text).digest("hex").slice(0, 8), isPublished },
			...keys,
		];
	};
	rotate();
	const server = createServer({ key: certificates.server.key, cert: certificates.server.cert }, (request, response) => {
		asked.push(request.url ?? "");
		if (special !== undefined) return special(request, response);
		const published = keys.filter((key) => key.isPublished);
		const documents: Record<string, object> = {
			"/dex/.well-known/openid-configuration": { issuer: url, jwks_uri: `${url}/keys` },
			"/dex/keys": {
				keys: published.map(({ key, kid }) => ({ ...publicJwk(key), kid, alg: "RS256", use: "sig" })),
			},
		};
		const document = documents[request.url ?? ""];
		response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
		response.end(JSON.stringify(document ?? {}));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	// It listens on a port.
	const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/dex`;
	return {
		url,
		ca: certificates.ca,
		asked,
		token(claims = {}, options = {}) {
			const [newest] = keys;
			if (newest === undefined) throw new Error("an issuer has a key");
			const head = encoded({ alg: "RS256", kid: options.kid ?? newest.kid });
			const expires = Math.floor(nowMs / 1000) + 3600;
			const body = encoded({ iss: url, aud: "cox", exp: expires, ...claims });
			const signature = sign("sha256", Buffer.from(`${head}.${body}`), options.key ?? newest.key);
			return `${head}.${body}.${signature.toString("base64url")}`;
		},
		rotate,
		answerBy: (answer) => {
			special = answer;
		},
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** Such keys take long to make: the issuers of a process have the same ones. */
const rsaKeys: KeyObject[] = [];
function rsaKey(index: number): KeyObject {
	rsaKeys[index] ??= generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
	return rsaKeys[index];
}

/** Without what is private. */
function publicJwk(key: KeyObject): Record<string, unknown> {
	const { kty, n, e } = key.export({ format: "jwk" });
	return { kty, n, e };
}

function encoded(value: object): string {
	return Buffer.from(JSON.stringify(value)).toString("base64url");
}
