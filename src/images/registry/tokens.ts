/** Authorization of requests to one registry: Docker's token protocol and basic authentication. */
import { basicAuthorization, type Credential } from "../credentials/credential.ts";
import { ImageFailure } from "../model/failure.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { type HttpAnswer, type HttpRequest, readBody, send } from "./http.ts";
import { isOnlyHere } from "./loopback.ts";

export interface Authorizer {
	/** The header for the next request; undefined: none yet. */
	readonly header: string | undefined;
	/**
	 * After an answer 401. Tokens expire while layers are pulled.
	 * @returns whether another attempt makes sense
	 * @throws ImageFailure
	 */
	challenged(
		answer: HttpAnswer,
		options: Pick<HttpRequest, "tls" | "connectMs" | "clock" | "signal">,
	): Promise<boolean>;
}

/** @param scope `repository:library/nginx:pull`, for registries that do not say it */
export function createAuthorizer(credential: Credential | undefined, scope: string): Authorizer {
	let header: string | undefined;
	return {
		get header() {
			return header;
		},
		async challenged(answer, options) {
			const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
			const bearer = challenges.find(({ scheme }) => scheme === "bearer");
			const before = header;
			if (bearer !== undefined) header = `Bearer ${await fetchToken(bearer, credential, scope, answer.url, options)}`;
			else if (credential !== undefined && challenges.some(({ scheme }) => scheme === "basic"))
				header = basicAuthorization(credential);
			return header !== undefined && header !== before;
		},
	};
}

const largestAnswer = 1 << 20;

async function fetchToken(
	{ parameters }: Challenge,
	credential: Credential | undefined,
	scope: string,
	registry: URL,
	options: Pick<HttpRequest, "tls" | "connectMs" | "clock" | "signal">,
): Promise<string> {
	const url = realmOf(parameters.get("realm") ?? "", registry);
	const query = new URLSearchParams();
	const service = parameters.get("service");
	if (service !== undefined) query.set("service", service);
	query.set("scope", parameters.get("scope") ?? scope);
	// The settings of the registry's host are for that host.
	const { tls, ...rest } = options;
	const common = url.host === registry.host ? options : rest;
	const answer = await ask(url, query, credential, common);
	const body = await readBody(answer.body, largestAnswer);
	if (answer.status === 401 || answer.status === 403)
		throw new ImageFailure(
			"denied",
			`failed to fetch ${credential ? "oauth" : "anonymous"} token: ${url.host} answered ${answer.status}`,
		);
	if (answer.status === 429) throw new ImageFailure("limited", `${url.host}: 429 Too Many Requests`);
	if (answer.status !== 200)
		throw new ImageFailure("failed", `failed to fetch a token: ${url.host} answered ${answer.status}`);
	const token = tokenIn(body.toString("utf8"));
	if (token === undefined) throw new ImageFailure("failed", `failed to fetch a token: ${url.host} gave none`);
	return token;
}

function ask(
	url: URL,
	query: URLSearchParams,
	credential: Credential | undefined,
	options: Pick<HttpRequest, "tls" | "connectMs" | "clock" | "signal">,
): Promise<HttpAnswer> {
	if (credential?.identityToken !== undefined) {
		query.set("grant_type", "refresh_token");
		query.set("refresh_token", credential.identityToken);
		query.set("client_id", "coxswain");
		const headers = { "content-type": "application/x-www-form-urlencoded" };
		return send(url, { ...options, method: "POST", headers, body: query.toString() });
	}
	if (credential !== undefined) query.set("account", credential.username);
	for (const [key, value] of query) url.searchParams.set(key, value);
	if (credential === undefined) return send(url, options);
	return send(url, { ...options, headers: { authorization: basicAuthorization(credential) } });
}

/**
 * Credentials go there: never in plain text, unless the registry itself is asked so on the same host. And a registry
 * elsewhere must not have this machine ask services that only it can reach.
 */
function realmOf(realm: string, registry: URL): URL {
	if (!URL.canParse(realm))
		throw new ImageFailure("failed", `${registry.host} asks for a token of ${JSON.stringify(realm)}`);
	const url = new URL(realm);
	const isOwn = url.hostname === registry.hostname;
	if (isOnlyHere(url.hostname) && !isOnlyHere(registry.hostname))
		throw new ImageFailure("refused", `${registry.host} asks for a token of ${url.host}, which is this machine's own`);
	if (url.protocol === "https:" || (url.protocol === "http:" && registry.protocol === "http:" && isOwn)) return url;
	throw new ImageFailure("failed", `${registry.host} asks for a token of ${url.origin}, which is not safe`);
}

function tokenIn(text: string): string | undefined {
	try {
		// Both names are in use.
		const { token, access_token: access } = JSON.parse(text) as { token?: unknown; access_token?: unknown };
		return [token, access].find((value) => typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) as
			| string
			| undefined;
	} catch {
		return undefined;
	}
}
