/**
 * `registries.yaml`, in the form of k3s: mirrors of registries, and settings of hosts. Pure.
 */
import { parse } from "yaml";
import type { Credential } from "../credentials/credential.ts";
import { decodeAuth } from "../credentials/credential.ts";
import type { TlsSettings } from "./http.ts";

export interface Mirror {
	/** URLs, in the order in which they are asked; the registry itself comes last. */
	endpoints: readonly string[];
	/** Regular expressions of repositories, with replacements. */
	rewrites: readonly (readonly [RegExp, string])[];
}

export interface HostSettings {
	credential?: Credential;
	tls: TlsSettings;
}

export interface Registries {
	/** By registry; `*` for all that are not named. */
	mirrors: ReadonlyMap<string, Mirror>;
	/** By host, with port. */
	hosts: ReadonlyMap<string, HostSettings>;
}

export const noRegistries: Registries = { mirrors: new Map(), hosts: new Map() };

/** @throws Error that names the field, and what is wanted */
export function parseRegistries(text: string): Registries {
	const root = mapOf(parse(text) ?? {}, "the file");
	knows(root, ["mirrors", "configs"], "");
	const mirrors = new Map<string, Mirror>();
	for (const [name, value] of Object.entries(mapOf(root["mirrors"] ?? {}, "mirrors"))) {
		const path = `mirrors[${name}]`;
		const entry = mapOf(value ?? {}, path);
		knows(entry, ["endpoint", "rewrite"], path);
		mirrors.set(name, { endpoints: endpoints(entry["endpoint"], path), rewrites: rewrites(entry["rewrite"], path) });
	}
	const hosts = new Map<string, HostSettings>();
	for (const [name, value] of Object.entries(mapOf(root["configs"] ?? {}, "configs")))
		hosts.set(name.replace(/^https?:\/\//, ""), hostSettings(value, `configs[${name}]`));
	return { mirrors, hosts };
}

function endpoints(value: unknown, path: string): string[] {
	const list = value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
	return list.map((item, at) => {
		const text = /^https?:\/\//.test(String(item)) ? String(item) : `https://${item}`;
		if (!URL.canParse(text)) throw new Error(`${path}.endpoint[${at}]: ${JSON.stringify(item)}: a URL is wanted`);
		return text;
	});
}

function rewrites(value: unknown, path: string): (readonly [RegExp, string])[] {
	return Object.entries(mapOf(value ?? {}, `${path}.rewrite`)).map(([from, to]) => {
		try {
			return [new RegExp(from), String(to)] as const;
		} catch {
			throw new Error(`${path}.rewrite: ${JSON.stringify(from)}: a regular expression is wanted`);
		}
	});
}

function hostSettings(value: unknown, path: string): HostSettings {
	const entry = mapOf(value ?? {}, path);
	knows(entry, ["auth", "tls"], path);
	const auth = mapOf(entry["auth"] ?? {}, `${path}.auth`);
	knows(auth, ["username", "password", "auth", "identity_token"], `${path}.auth`);
	const tls = mapOf(entry["tls"] ?? {}, `${path}.tls`);
	knows(tls, ["ca_file", "cert_file", "key_file", "insecure_skip_verify"], `${path}.tls`);
	const text = (map: Record<string, unknown>, key: string) => (map[key] === undefined ? undefined : String(map[key]));
	const [caFile, certFile, keyFile] = ["ca_file", "cert_file", "key_file"].map((key) => text(tls, key));
	const identityToken = text(auth, "identity_token");
	const decoded = decodeAuth(text(auth, "auth") ?? "");
	const username = text(auth, "username") ?? decoded?.username ?? "";
	const password = text(auth, "password") ?? decoded?.password ?? "";
	const isKnown = username !== "" || identityToken !== undefined;
	return {
		...(isKnown ? { credential: { username, password, ...(identityToken && { identityToken }) } } : {}),
		tls: {
			...(caFile === undefined ? {} : { caFile }),
			...(certFile === undefined ? {} : { certFile }),
			...(keyFile === undefined ? {} : { keyFile }),
			...(tls["insecure_skip_verify"] === true ? { insecure: true } : {}),
		},
	};
}

function mapOf(value: unknown, what: string): Record<string, unknown> {
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
	throw new Error(`${what}: a map is wanted`);
}

function knows(map: Record<string, unknown>, names: readonly string[], path: string): void {
	for (const name of Object.keys(map))
		if (!names.includes(name))
			throw new Error(`${path === "" ? name : `${path}.${name}`} is not supported; these are: ${names.join(", ")}`);
}
