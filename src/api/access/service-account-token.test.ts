import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { type Json, type TestApi, testApi } from "../testing/test-api.ts";

const issuer = "https://kubernetes.default.svc.cluster.local";
const accounts = "/api/v1/namespaces/default/serviceaccounts";

interface Fixture {
	api: TestApi;
	clock: VirtualClock;
	/**
	 * A token as the server would make it for the account `robot`, with these differences; undefined takes a claim away.
	 */
	token(claims?: Json, header?: Json, key?: KeyObject): string;
	/** The status of a request with this token. */
	status(token: string): Promise<number>;
	review(token: string, audiences?: string[]): Promise<Json>;
}

async function fixture(options: { apiAudiences?: string[] } = {}): Promise<Fixture> {
	const clock = new VirtualClock();
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const signingKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
	const api = await testApi({ clock, serviceAccounts: { signingKey }, ...options });
	const { object: account } = await api.ask("POST", accounts, { metadata: { name: "robot" } });
	const kid = (await api.ask("GET", "/openid/v1/jwks")).object.keys[0].kid;
	const nowSeconds = clock.now() / 1000;
	return {
		api,
		clock,
		token: (claims = {}, header = {}, key = privateKey) => {
			const head = encoded({ alg: "ES256", kid, ...header });
			const body = encoded({
				aud: [issuer],
				exp: nowSeconds + 3600,
				iat: nowSeconds,
				nbf: nowSeconds,
				iss: issuer,
				jti: "1",
				sub: "system:serviceaccount:default:robot",
				"kubernetes.io": { namespace: "default", serviceaccount: { name: "robot", uid: account.metadata.uid } },
				...claims,
			});
			const signature = sign("sha256", Buffer.from(`${head}.${body}`), { key, dsaEncoding: "ieee-p1363" });
			return `${head}.${body}.${signature.toString("base64url")}`;
		},
		status: async (token) => {
			const headers = { authorization: `Bearer ${token}` };
			return (await api.ask("GET", "/api", undefined, { user: undefined, headers })).status;
		},
		review: async (token, audiences) => {
			const body = { spec: { token, audiences } };
			return (await api.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)).object.status;
		},
	};
}

function encoded(value: Json): string {
	return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("a token is good for the audience, issuer, times and account that it names, and for nothing else", async () => {
	const { token, status, clock } = await fixture();
	const nowSeconds = clock.now() / 1000;
	const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
	const whole = token();
	const [head = "", body = "", signature = ""] = whole.split(".");
	const account = { namespace: "default", serviceaccount: { name: "robot", uid: "another" } };
	const ours = JSON.parse(Buffer.from(body, "base64url").toString())["kubernetes.io"];
	const refused: Record<string, string> = {
		"another audience": token({ aud: ["vault.example.com"] }),
		"an empty audience": token({ aud: [""] }),
		"no audiences": token({ aud: [] }),
		"no audience claim": token({ aud: undefined }),
		"an audience that only begins alike": token({ aud: [`${issuer}.example.com`] }),
		"another issuer": token({ iss: "https://example.com" }),
		"no issuer": token({ iss: undefined }),
		"no subject": token({ sub: undefined }),
		"another subject": token({ sub: "system:serviceaccount:kube-system:robot" }),
		"a time that has not come": token({ nbf: nowSeconds + 3600 }),
		"a time that is over": token({ exp: nowSeconds - 3600 }),
		"an account of another UID": token({ "kubernetes.io": account }),
		"no account": token({ "kubernetes.io": undefined }),
		"an unknown account": token({
			sub: "system:serviceaccount:default:nobody",
			"kubernetes.io": { namespace: "default", serviceaccount: { name: "nobody", uid: "1" } },
		}),
		"another algorithm": token({}, { alg: "HS256" }),
		"no algorithm": `${encoded({ alg: "none" })}.${body}.`,
		"another key": token({}, { kid: "another" }),
		"the signature of another key": token({}, {}, stranger),
		"one segment more": `${whole}.${signature}`,
		"one segment less": `${head}.${body}`,
		"an end that is text": token({ exp: `${nowSeconds + 60}` }),
		"an end that is an object": token({ exp: {} }),
		"a begin that is text": token({ nbf: "yesterday" }),
		"an audience in a list in the list": token({ aud: [[issuer]] }),
		"a pod that is null": token({ "kubernetes.io": { ...ours, pod: null } }),
		"extensions that must be understood": token({}, { crit: ["exp"] }),
		"a signature with more in it": `${head}.${body}.${signature.slice(0, 9)}!${signature.slice(9)}`,
		padding: `${whole}==`,
		"another body below the signature": `${head}.${encoded({ iss: issuer })}.${signature}`,
		"no JSON": `${encoded("x")}.${encoded("y")}.${signature}`,
	};
	expect(await status(whole)).toBe(200);
	for (const [what, presented] of Object.entries(refused)) expect([what, await status(presented)]).toEqual([what, 401]);
	// What was good a moment ago is not kept longer than it holds.
	expect(await status(token({ aud: ["vault.example.com", issuer] }))).toBe(200);
	await clock.advance(3_600_000 + 61_000);
	expect(await status(whole)).toBe(401);
});

test("clocks may differ by a minute", async () => {
	const { token, status, clock } = await fixture();
	const nowSeconds = clock.now() / 1000;
	expect(await status(token({ nbf: nowSeconds + 59 }))).toBe(200);
	expect(await status(token({ exp: nowSeconds - 59 }))).toBe(200);
});

test("a token made on request is for this server, or for those that the request names", async () => {
	const { api, status, review } = await fixture();
	const made = async (audiences?: string[]): Promise<string> =>
		(await api.ask("POST", `${accounts}/robot/token`, { spec: { audiences } })).object.status.token;
	expect(await status(await made())).toBe(200);
	expect(await status(await made([]))).toBe(200);
	expect(await status(await made([""]))).toBe(401);
	const vault = await made(["vault.example.com", "other"]);
	expect(await status(vault)).toBe(401);
	expect(await review(vault)).toEqual({
		user: {},
		error: `[invalid bearer token, token audiences ["vault.example.com" "other"] is invalid for the target audiences ["${issuer}"]]`,
	});
	const found = await review(vault, ["x", "vault.example.com"]);
	expect([found.authenticated, found.audiences]).toEqual([true, ["vault.example.com"]]);
	expect((await review(await made(), ["vault.example.com"])).authenticated ?? false).toBe(false);
	expect(await review("rubbish")).toEqual({ user: {}, error: "invalid bearer token" });
});

test("a server with audiences of its own takes tokens for each of them", async () => {
	const { api, token, status, review } = await fixture({ apiAudiences: ["api", "https://api.example.com"] });
	expect(await status(token())).toBe(401);
	expect(await status(token({ aud: ["https://api.example.com"] }))).toBe(200);
	const { object } = await api.ask("POST", `${accounts}/robot/token`, {});
	expect(object.spec.audiences).toEqual(["api", "https://api.example.com"]);
	expect((await review(object.status.token)).audiences).toEqual(["api", "https://api.example.com"]);
});

test("a token that was just used ends at once with what it is bound to, or a minute after a deletion is due", async () => {
	const { api, clock, status } = await fixture();
	const secrets = "/api/v1/namespaces/default/secrets";
	const bound = async (name: string, finalizers: string[]) => {
		await api.ask("POST", secrets, { metadata: { name, finalizers } });
		const boundObjectRef = { apiVersion: "v1", kind: "Secret", name };
		return (await api.ask("POST", `${accounts}/robot/token`, { spec: { boundObjectRef } })).object.status.token;
	};
	const gone = await bound("gone", []);
	expect(await status(gone)).toBe(200);
	await api.ask("DELETE", `${secrets}/gone`);
	expect(await status(gone)).toBe(401);
	const ending = await bound("ending", ["example.com/wait"]);
	await api.ask("DELETE", `${secrets}/ending`);
	expect(await status(ending)).toBe(200);
	await clock.advance(61_000);
	expect(await status(ending)).toBe(401);
	const ofAccount = await bound("other", []);
	await api.ask("DELETE", `${accounts}/robot`);
	await api.ask("POST", accounts, { metadata: { name: "robot" } });
	expect(await status(ofAccount)).toBe(401);
});

test("requests for tokens are held to upstream's bounds, in upstream's words", async () => {
	const { api } = await fixture();
	const pod = {
		metadata: { name: "p" },
		spec: { serviceAccountName: "other", containers: [{ name: "c", image: "i" }] },
	};
	await api.ask("POST", accounts, { metadata: { name: "other" } });
	await api.ask("POST", "/api/v1/namespaces/default/pods", pod);
	const refused = async (body: Json) => (await api.ask("POST", `${accounts}/robot/token`, body)).object.message;
	const invalid = (name: string) => `TokenRequest.authentication.k8s.io "${name}" is invalid:`;
	expect(await refused({ spec: { expirationSeconds: 599 } })).toBe(
		`${invalid("")} spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`,
	);
	expect(await refused({ spec: { expirationSeconds: 2 ** 32 + 1 } })).toBe(
		`${invalid("")} spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds`,
	);
	expect(await refused({ metadata: { name: "x" } })).toBe(
		`${invalid("robot")} metadata.name: Invalid value: "x": must match the service account name if specified`,
	);
	expect(await refused({ metadata: { namespace: "x" } })).toBe(
		`${invalid("robot")} metadata.namespace: Invalid value: "x": must match the service account namespace if specified`,
	);
	expect(await refused({ metadata: { uid: "x" } })).toContain(
		"the UID in the token request (x) does not match the UID of the service account",
	);
	const bound = (boundObjectRef: Json) => refused({ spec: { boundObjectRef } });
	expect(await bound({ apiVersion: "apps/v1", kind: "Deployment", name: "d" })).toBe(
		"cannot bind token to object of type apps/v1, Kind=Deployment",
	);
	expect(await bound({ apiVersion: "v1", kind: "constructor", name: "d" })).toBe(
		"cannot bind token to object of type /v1, Kind=constructor",
	);
	expect(await bound({ apiVersion: "v1", kind: "Pod", name: "p" })).toBe(
		'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
	);
	expect(await bound({ apiVersion: "v1", kind: "Secret", name: "none" })).toBe('secrets "none" not found');
});

test("those who verify tokens themselves find the key and the issuer", async () => {
	const { api, token } = await fixture();
	const keys = await api.ask("GET", "/openid/v1/jwks");
	expect(keys.headers).toMatchObject({
		"content-type": "application/jwk-set+json",
		"cache-control": "public, max-age=3600",
	});
	const [head = ""] = token().split(".");
	expect(keys.object.keys).toMatchObject([
		{ alg: "ES256", kid: JSON.parse(Buffer.from(head, "base64").toString()).kid },
	]);
	expect((await api.ask("GET", "/.well-known/openid-configuration")).object).toEqual({
		issuer,
		jwks_uri: `${issuer}/openid/v1/jwks`,
		response_types_supported: ["id_token"],
		subject_types_supported: ["public"],
		id_token_signing_alg_values_supported: ["ES256"],
	});
});
