import { generateKeyPairSync } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { messageOf } from "../../../core/errors.ts";
import { type Clock, systemClock } from "../../../core/time/clock.ts";
import { VirtualClock } from "../../../core/time/virtual-clock.ts";
import { startTestIssuer } from "../../testing/oidc-issuer.ts";
import { type Json, testApi } from "../../testing/test-api.ts";
import { jwtAuthenticators } from "./configuration.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closers.splice(0)) await close();
});

interface Wishes {
	issuer?: Json;
	claimMappings?: Json;
	claimValidationRules?: Json;
}

async function fixture(wishes: Wishes = {}, wallClock: Clock = systemClock({ unref: true })) {
	const nowMs = systemClock().now();
	const issuer = await startTestIssuer(nowMs);
	closers.push(() => issuer.close());
	const oidc = jwtAuthenticators({
		apiVersion: "apiserver.config.k8s.io/v1",
		kind: "AuthenticationConfiguration",
		jwt: [
			{
				issuer: { url: issuer.url, audiences: ["cox"], certificateAuthority: issuer.ca, ...wishes.issuer },
				claimMappings: wishes.claimMappings ?? {
					username: { claim: "sub", prefix: "dex:" },
					groups: { claim: "groups", prefix: "dex:" },
				},
				claimValidationRules: wishes.claimValidationRules,
			},
		],
	});
	const api = await testApi({ oidc, wallClock });
	closers.push(() => api.close());
	return {
		issuer,
		api,
		nowSeconds: Math.floor(nowMs / 1000),
		/** Who a token says one is, or the code of the refusal. */
		whoAmI: async (token: string): Promise<Json> => {
			const headers = { authorization: `Bearer ${token}` };
			const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
			const { object } = await api.ask("POST", path, {}, { user: undefined, headers });
			return object.status?.userInfo ?? object.code;
		},
		review: async (token: string, audiences?: string[]): Promise<Json> => {
			const body = { spec: { token, audiences } };
			return (await api.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)).object.status;
		},
	};
}

test("a token of the issuer stands for the user and groups that its claims name", async () => {
	const { issuer, whoAmI, review } = await fixture({
		claimMappings: {
			username: { claim: "sub", prefix: "dex:" },
			groups: { claim: "groups", prefix: "dex:" },
			uid: { claim: "id" },
		},
	});
	const token = issuer.token({ sub: "ann", groups: ["dev", "ops"], id: "7", jti: "1" });
	expect(await whoAmI(token)).toEqual({
		username: "dex:ann",
		uid: "7",
		groups: ["dex:dev", "dex:ops", "system:authenticated"],
		extra: { "authentication.kubernetes.io/credential-id": ["JTI=1"] },
	});
	const one = issuer.token({ sub: "bea", groups: "dev", id: "8" });
	expect(await whoAmI(one)).toMatchObject({ groups: ["dex:dev", "system:authenticated"] });
	expect(await whoAmI(issuer.token({ sub: "cid", id: "9" }))).toMatchObject({ groups: ["system:authenticated"] });
	const reviewed = await review(token);
	expect([reviewed.authenticated, reviewed.audiences]).toEqual([
		true,
		["https://kubernetes.default.svc.cluster.local"],
	]);
	expect((await review(token, ["vault"])).authenticated ?? false).toBe(false);
});

test("a token that is not the issuer's, not for us, not now or not complete is refused, with the reason in a review", async () => {
	const { issuer, whoAmI, review, nowSeconds } = await fixture({
		claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
	});
	const good = { sub: "ann", hd: "example.com" };
	const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
	expect(await whoAmI(issuer.token(good))).toMatchObject({ username: "dex:ann" });
	expect(await whoAmI(issuer.token({ ...good, aud: ["other", "cox"] }))).toMatchObject({ username: "dex:ann" });
	const refused: [string, RegExp][] = [
		[issuer.token(good, { key: stranger }), /signature verification failed/],
		[issuer.token({ ...good, aud: "other" }), /expected audience in \["cox"\] got \["other"\]/],
		[issuer.token({ ...good, aud: undefined }), /expected audience/],
		[issuer.token({ ...good, exp: nowSeconds - 1 }), /expired/],
		[issuer.token({ ...good, exp: undefined }), /exp/],
		[issuer.token({ ...good, nbf: nowSeconds + 3600 }), /nbf/],
		[issuer.token({ ...good, sub: undefined }), /parse username claims "sub": claim not present/],
		[issuer.token({ ...good, sub: 7 }), /parse username claims "sub": not text/],
		[issuer.token({ ...good, sub: "" }), /is empty/],
		[issuer.token({ ...good, groups: [{}] }), /parse groups claim "groups"/],
		[issuer.token({ ...good, _claim_names: { groups: "src" } }), /distributed claims are not supported/],
		[issuer.token({ ...good, hd: undefined }), /required claim hd not present in ID token/],
		[issuer.token({ ...good, hd: "x" }), /required claim hd value does not match. Got = x, want = example.com/],
	];
	for (const [token, why] of refused) {
		expect(await whoAmI(token)).toBe(401);
		expect((await review(token)).error).toMatch(why);
	}
	expect(await review(issuer.token({ ...good, iss: "https://example.com" }))).toEqual({
		user: {},
		error: "invalid bearer token",
	});
});

test("algorithms with a shared secret, or without a signature, are refused", async () => {
	const { issuer, whoAmI } = await fixture();
	const [, body = "", signature] = issuer.token({ sub: "ann" }).split(".");
	for (const alg of ["none", "HS256", "dir"]) {
		const head = Buffer.from(JSON.stringify({ alg })).toString("base64url");
		expect(await whoAmI(`${head}.${body}.${signature}`)).toBe(401);
		expect(await whoAmI(`${head}.${body}.`)).toBe(401);
	}
});

test("Kubernetes' own names cannot come from another issuer", async () => {
	const { issuer, whoAmI, review } = await fixture({
		claimMappings: { username: { claim: "sub", prefix: "" }, groups: { claim: "groups", prefix: "" } },
	});
	for (const claims of [
		{ sub: "system:admin" },
		{ sub: "system:serviceaccount:kube-system:default" },
		{ sub: "ann", groups: ["system:masters"] },
	]) {
		expect(await whoAmI(issuer.token(claims))).toBe(401);
		expect((await review(issuer.token(claims))).error).toContain("are Kubernetes' own");
	}
	expect(await whoAmI(issuer.token({ sub: "ann", groups: ["masters"] }))).toMatchObject({ username: "ann" });
});

test("an address that the issuer has not verified names nobody", async () => {
	const { issuer, whoAmI } = await fixture({ claimMappings: { username: { claim: "email", prefix: "" } } });
	const email = "ann@example.com";
	expect(await whoAmI(issuer.token({ email, email_verified: true }))).toMatchObject({ username: email });
	expect(await whoAmI(issuer.token({ email }))).toMatchObject({ username: email });
	expect(await whoAmI(issuer.token({ email, email_verified: false }))).toBe(401);
	expect(await whoAmI(issuer.token({ email, email_verified: "true" }))).toBe(401);
});

test("keys are fetched when first needed, kept, and fetched again for a key that is new, but not without a pause", async () => {
	const clock = new VirtualClock({ startMs: systemClock().now() });
	const { issuer, whoAmI } = await fixture({}, clock);
	expect(issuer.asked).toEqual([]);
	expect(await whoAmI(issuer.token({ sub: "ann" }))).toMatchObject({ username: "dex:ann" });
	expect(await whoAmI(issuer.token({ sub: "bea" }))).toMatchObject({ username: "dex:bea" });
	expect(issuer.asked).toEqual(["/dex/.well-known/openid-configuration", "/dex/keys"]);
	issuer.rotate();
	const newer = issuer.token({ sub: "ann" });
	expect(await whoAmI(newer)).toBe(401);
	await clock.advance(11_000);
	expect(await whoAmI(newer)).toMatchObject({ username: "dex:ann" });
	expect(issuer.asked).toHaveLength(4);
	await clock.advance(11_000);
	issuer.rotate(false);
	for (let count = 0; count < 20; count++) expect(await whoAmI(issuer.token({ sub: "ann" }))).toBe(401);
	expect(issuer.asked).toHaveLength(6);
});

test("a token that was verified ends when it expires", async () => {
	const clock = new VirtualClock({ startMs: systemClock().now() });
	const { issuer, whoAmI, nowSeconds } = await fixture({}, clock);
	const token = issuer.token({ sub: "ann", exp: nowSeconds + 5 });
	expect(await whoAmI(token)).toMatchObject({ username: "dex:ann" });
	await clock.advance(6000);
	expect(await whoAmI(token)).toBe(401);
});

test("an issuer that is slow, gone or wrong only affects its own tokens", async () => {
	const clock = new VirtualClock({ startMs: systemClock().now() });
	const { issuer, api, whoAmI, review } = await fixture({}, clock);
	let isAsked = () => {};
	const asked = new Promise<void>((resolve) => {
		isAsked = resolve;
	});
	const answers: (() => void)[] = [];
	issuer.answerBy((_request, response) => {
		answers.push(() => response.destroy());
		isAsked();
	});
	const waiting = whoAmI(issuer.token({ sub: "ann" }));
	await asked;
	expect((await api.ask("GET", "/api/v1/namespaces/default")).status).toBe(200);
	expect(await whoAmI("rubbish")).toBe(401);
	for (const answer of answers) answer();
	expect(await waiting).toBe(401);
	// It is not asked again so soon.
	expect((await review(issuer.token({ sub: "ann" }))).error).toContain("is not initialized");
	expect(issuer.asked).toHaveLength(1);
	const wrong: ((path: string) => object | string)[] = [
		() => "no JSON",
		() => "switch",
		() => ({ issuer: "https://example.com", jwks_uri: `${issuer.url}/keys` }),
		() => ({ issuer: issuer.url, jwks_uri: "http://127.0.0.1/keys" }),
		(path) => (path.endsWith("/keys") ? { keys: "none" } : { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }),
		() => "x".repeat(2 * 1024 * 1024),
	];
	for (const answer of wrong) {
		await clock.advance(11_000);
		issuer.answerBy(({ url = "" }, response) => {
			const document = answer(url);
			if (document === "switch") response.writeHead(101, { upgrade: "x", connection: "upgrade" });
			response.end(typeof document === "string" ? document : JSON.stringify(document));
		});
		expect(await whoAmI(issuer.token({ sub: "ann" }))).toBe(401);
	}
	await clock.advance(11_000);
	issuer.answerBy(undefined);
	expect(await whoAmI(issuer.token({ sub: "ann" }))).toMatchObject({ username: "dex:ann" });
});

test("an issuer whose certificate is of another authority is not believed", async () => {
	const { issuer, review } = await fixture({ issuer: { certificateAuthority: undefined } });
	expect((await review(issuer.token({ sub: "ann" }))).error).toMatch(/is not initialized: .*(certificate|self-signed)/);
});

test("an invalid or unsupported configuration is refused with the paths of its fields", () => {
	const config = (jwt: Json, more: Json = {}) => {
		try {
			jwtAuthenticators({
				apiVersion: "apiserver.config.k8s.io/v1",
				kind: "AuthenticationConfiguration",
				jwt: [jwt].flat(),
				...more,
			});
			return "";
		} catch (error) {
			return messageOf(error);
		}
	};
	const username = { claim: "sub", prefix: "" };
	const issuer = { url: "https://example.com", audiences: ["a"] };
	const good = { issuer, claimMappings: { username } };
	expect(config(good)).toBe("");
	const cases: [string, string][] = [
		[config([good, good]), 'jwt[1].issuer.url: Duplicate value: "https://example.com"'],
		[config(good, { kind: "Config" }), 'kind: Unsupported value: "Config"'],
		[config(good, { apiVersion: "v1" }), 'apiVersion: Unsupported value: "v1"'],
		[config(good, { anonymous: { enabled: false } }), "anonymous: Forbidden"],
		[config({ ...good, issuers: 1 }), "jwt[0].issuers: unknown field"],
		[config({ ...good, issuer: {} }), "jwt[0].issuer.url: Required value"],
		[
			config({ ...good, issuer: { ...issuer, url: "http://a" } }),
			'jwt[0].issuer.url: Invalid value: "http://a": URL scheme must be https',
		],
		[config({ ...good, issuer: { ...issuer, url: "https://u:p@a/?b#c" } }), "must not contain a username or password"],
		[config({ ...good, issuer: { ...issuer, url: "nowhere" } }), "URL cannot be parsed"],
		[
			config({ ...good, issuer: { ...issuer, url: "https://kubernetes.default.svc.cluster.local" } }),
			"disallowed issuers",
		],
		[
			config({ ...good, issuer: { ...issuer, discoveryURL: "https://example.com/" } }),
			"discoveryURL must be different from URL",
		],
		[config({ ...good, issuer: { ...issuer, audiences: [] } }), "jwt[0].issuer.audiences: Required value"],
		[
			config({ ...good, issuer: { ...issuer, audiences: ["a", "b"] } }),
			"audienceMatchPolicy must be MatchAny for multiple audiences",
		],
		[
			config({ ...good, issuer: { ...issuer, certificateAuthority: "x" } }),
			"jwt[0].issuer.certificateAuthority: Invalid value",
		],
		[config({ ...good, issuer: { ...issuer, egressSelectorType: "cluster" } }), "egressSelectorType: Forbidden"],
		[config({ issuer }), "jwt[0].claimMappings.username: Required value: claim or expression is required"],
		[
			config({ issuer, claimMappings: { username: { claim: "sub" } } }),
			"jwt[0].claimMappings.username.prefix: Required value: prefix is required",
		],
		[
			config({ issuer, claimMappings: { username: { expression: "claims.sub" } } }),
			"jwt[0].claimMappings.username.expression: Forbidden: CEL expressions are not supported",
		],
		[
			config({ issuer, claimMappings: { username, extra: [{ key: "a/b", valueExpression: "x" }] } }),
			"jwt[0].claimMappings.extra[0]: Forbidden: CEL",
		],
		[
			config({ ...good, claimValidationRules: [{ expression: "true" }] }),
			"jwt[0].claimValidationRules[0].expression: Forbidden: CEL",
		],
		[
			config({ ...good, claimValidationRules: [{}] }),
			"jwt[0].claimValidationRules[0]: Required value: claim or expression is required",
		],
		[
			config({ ...good, userValidationRules: [{ expression: "true" }] }),
			"jwt[0].userValidationRules[0]: Forbidden: CEL",
		],
	];
	for (const [found, wanted] of cases) expect(found).toContain(wanted);
});
