/**
 * Docker's configuration files with credentials, as Secrets of the types kubernetes.io/dockerconfigjson and
 * kubernetes.io/dockercfg and users' homes have them, and which of them apply to an image. The rules are the kubelet's
 * (Images, "Config.json"). Pure.
 */
import { messageOf } from "../../core/errors.ts";
import { type FullReference, repositoryName } from "../model/reference.ts";
import { type Credential, decodeAuth } from "./credential.ts";

export interface DockerConfig {
	/** By registry, as written: `registry.example/path`, `*.example.com`, `https://index.docker.io/v1/`. */
	auths: ReadonlyMap<string, Credential>;
	/** Name of the program that has credentials for a registry, without `docker-credential-`. */
	helpers: ReadonlyMap<string, string>;
	/** Of all others. */
	store?: string;
}

/**
 * @param bare the older form, whose top level are the registries
 * @throws Error that says what is wrong, without its contents
 */
export function parseDockerConfig(text: string, options: { bare?: boolean } = {}): DockerConfig {
	let document: unknown;
	try {
		document = JSON.parse(text);
	} catch {
		// The parser's message quotes the text, which has passwords in it.
		throw new Error("it is not JSON");
	}
	const root = mapOf(document, "it");
	const given = options.bare === true ? root : mapOf(root["auths"] ?? {}, "auths");
	const auths = new Map<string, Credential>();
	for (const [registry, entry] of Object.entries(given)) {
		const credential = credentialOf(mapOf(entry, `auths[${JSON.stringify(registry)}]`));
		if (credential !== undefined) auths.set(registry, credential);
	}
	const helpers = Object.entries(mapOf(root["credHelpers"] ?? {}, "credHelpers"));
	const store = root["credsStore"];
	return {
		auths,
		helpers: new Map(helpers.map(([registry, name]) => [registry, String(name)])),
		...(typeof store === "string" && store !== "" ? { store } : {}),
	};
}

/** The config of a Secret's data; undefined for a Secret of another kind. */
export function dockerConfigOfSecret(data: Readonly<Record<string, string>>): DockerConfig | undefined {
	const [json, bare] = [data[".dockerconfigjson"], data[".dockercfg"]];
	const text = json ?? bare;
	if (text === undefined) return undefined;
	try {
		return parseDockerConfig(Buffer.from(text, "base64").toString("utf8"), { bare: json === undefined });
	} catch (error) {
		throw new Error(`${json === undefined ? ".dockercfg" : ".dockerconfigjson"}: ${messageOf(error)}`);
	}
}

function mapOf(value: unknown, what: string): Record<string, unknown> {
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
	throw new Error(`${what} is not a map`);
}

function credentialOf(entry: Record<string, unknown>): Credential | undefined {
	const text = (key: string) => (typeof entry[key] === "string" ? String(entry[key]) : "");
	const decoded = text("auth") === "" ? undefined : decodeAuth(text("auth"));
	const { username, password } = decoded ?? { username: text("username"), password: text("password") };
	const identityToken = text("identitytoken");
	if (username === "" && identityToken === "") return undefined;
	return { username, password, ...(identityToken === "" ? {} : { identityToken }) };
}

/** Those for the image, the longest registry first. */
export function matchingCredentials(auths: ReadonlyMap<string, Credential>, image: FullReference): Credential[] {
	return [...auths]
		.map(([pattern, credential]) => ({ ...splitPattern(pattern), credential }))
		.filter((entry) => matches(entry, image))
		.sort((a, b) => b.host.length + b.path.length - (a.host.length + a.path.length))
		.map(({ credential }) => credential);
}

/** Docker's own registry has several names in these files. */
const dockerNames = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/** The name of an image's registry in users' files. */
export function configNames({ registry }: FullReference): string[] {
	return registry === "docker.io" ? ["https://index.docker.io/v1/", ...dockerNames] : [registry, `https://${registry}`];
}

function splitPattern(pattern: string): { host: string; path: string } {
	const plain = pattern.replace(/^https?:\/\//, "");
	const slash = plain.indexOf("/");
	const host = slash < 0 ? plain : plain.slice(0, slash);
	const path = slash < 0 ? "" : plain.slice(slash).replace(/\/$/, "");
	// What clients add for the registry's API is no path of repositories.
	return { host, path: path === "/v1" || path === "/v2" ? "" : path };
}

function matches({ host, path }: { host: string; path: string }, image: FullReference): boolean {
	const own = image.registry === "docker.io" ? dockerNames : [image.registry];
	if (!own.some((name) => hostMatches(host, name))) return false;
	return repositoryName({ registry: "", repository: image.repository }).startsWith(path);
}

/** A wildcard stands for one part of the host's name, or some of its characters; ports must be equal. */
function hostMatches(pattern: string, host: string): boolean {
	const [wantedName = "", wantedPort = ""] = splitPort(pattern);
	const [name = "", port = ""] = splitPort(host);
	if (wantedPort !== port) return false;
	const [wanted, parts] = [wantedName.split("."), name.split(".")];
	return wanted.length === parts.length && wanted.every((part, at) => globMatches(part, parts[at] ?? ""));
}

function splitPort(host: string): string[] {
	const match = /^(.*?)(?::(\d+))?$/.exec(host);
	return [match?.[1] ?? host, match?.[2] ?? ""];
}

/** Patterns are anybody's: a regular expression could take for ever. Case does not matter. */
function globMatches(pattern: string, text: string): boolean {
	const [first = "", ...rest] = pattern.toLowerCase().split("*");
	const host = text.toLowerCase();
	const last = rest.pop();
	if (last === undefined) return host === first;
	if (!host.startsWith(first)) return false;
	let at = first.length;
	// The leftmost place leaves the most for the others.
	for (const part of rest) {
		const found = host.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	return host.length - last.length >= at && host.endsWith(last);
}
