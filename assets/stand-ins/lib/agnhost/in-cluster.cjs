// What agnhost does as a client of the API from inside a pod.
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const { endOnSignal } = require("./http.cjs");
const { log, parse } = require("./flags.cjs");

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The body of a GET with the pod's token. Both files are read anew: they change. */
function get(url) {
	const headers = { Authorization: `Bearer ${fs.readFileSync(`${folder}/token`, "utf8")}` };
	const options = { ca: fs.readFileSync(`${folder}/ca.crt`), headers, agent: false, timeout: 10_000 };
	const answer = new Promise((resolve, reject) => {
		const request = https.get(url, options, async (response) => {
			let text = "";
			for await (const chunk of response.setEncoding("utf8")) text += chunk;
			if (response.statusCode === 200) resolve(text);
			else reject(new Error(`${url}: ${response.statusCode} ${text}`));
		});
		request.on("timeout", () => request.destroy(new Error(`${url}: timed out`)));
		request.on("error", reject);
	});
	return { answer, headers };
}

/** Asks for /healthz again and again, and tells tokens apart without telling them. */
exports.inclusterclient = (words) => {
	endOnSignal();
	const seconds = Number(parse(words)["poll-interval"] ?? 30);
	const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
	if (!host || !port) throw new Error("err: unable to load in-cluster configuration");
	log("started");
	setInterval(async () => {
		log("calling /healthz");
		try {
			const { answer, headers } = get(`https://${host}:${port}/healthz`);
			log(`authz_header=${crypto.createHash("sha256").update(`salt|${headers.Authorization}`).digest("base64url")}`);
			await answer;
		} catch (error) {
			log("status=failed");
			log(`error checking /healthz: ${error.message}`);
		}
	}, seconds * 1000);
};

const decoded = (part) => JSON.parse(Buffer.from(part, "base64url").toString());

/** Finds out from the issuer that a token names whether the token is good: OpenID Connect Discovery 1.0. */
exports["test-service-account-issuer-discovery"] = async (words) => {
	const flags = parse(words);
	const token = fs.readFileSync(flags["token-path"], "utf8").trim();
	log("OK: Got token");
	const [head, body, signature] = token.split(".");
	const { kid, alg } = decoded(head);
	const claims = decoded(body);
	log(`OK: got issuer ${claims.iss}`);
	const metadata = JSON.parse(await get(`${claims.iss}/.well-known/openid-configuration`).answer);
	const wrong = (what) => {
		throw new Error(`oidc: ${what}`);
	};
	if (metadata.issuer !== claims.iss) wrong(`issuer did not match the issuer returned by provider, expected "${claims.iss}" got "${metadata.issuer}"`);
	if (!metadata.id_token_signing_alg_values_supported.includes(alg)) wrong(`id token signed with unsupported algorithm ${alg}`);
	log("OK: constructed OIDC provider");
	const { keys } = JSON.parse(await get(metadata.jwks_uri).answer);
	const jwk = keys.find((key) => key.kid === kid) ?? wrong("failed to verify id token signature");
	const key = { key: crypto.createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
	if (!crypto.verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) wrong("failed to verify signature");
	if (![claims.aud].flat().includes(flags.audience)) wrong(`expected audience "${flags.audience}" got ${JSON.stringify(claims.aud)}`);
	if (claims.exp * 1000 < Date.now()) wrong("token is expired");
	log("OK: Validated signature on JWT");
	log(`OK: token is ${claims.sub}'s`);
};
