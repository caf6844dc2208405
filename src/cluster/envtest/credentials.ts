/** What the API server of an envtest folder shows to clients, and how it recognises them. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ClientTrust } from "../../api/listen.ts";
import type { User } from "../../core/exchange.ts";
import { systemClock } from "../../core/time/clock.ts";
import { ensureCertificates } from "../pki/certificates.ts";
import { serverNames } from "../pki/server-names.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";
import { frontProxies } from "../settings/front-proxies.ts";
import type { Flags } from "./flags.ts";

/** PEM. Without files in `--cert-dir`, or named by other flags, certificates are made there, as upstream does. */
export function servingCertificate(flags: Flags, network: ClusterNetwork): { key: string; cert: string } {
	const folder = resolve(flags.value("cert-dir") ?? "/var/run/kubernetes");
	const cert = flags.value("tls-cert-file") ?? join(folder, "apiserver.crt");
	const key = flags.value("tls-private-key-file") ?? join(folder, "apiserver.key");
	if (existsSync(cert) && existsSync(key)) return { key: read(key), cert: read(cert) };
	return ensureCertificates(folder, serverNames(network), systemClock().now()).server;
}

/** Whose client certificates are believed. */
export function trustOf(flags: Flags): ClientTrust {
	const clientCa = fileOf(flags, "client-ca-file");
	const proxyCa = fileOf(flags, "requestheader-client-ca-file");
	const list = (name: string) => flags.list(`requestheader-${name}`);
	return {
		...(clientCa !== undefined && { clientCa }),
		...(proxyCa !== undefined && {
			frontProxy: frontProxies(proxyCa, flags.value("requestheader-client-ca-file") ?? "", {
				names: list("allowed-names"),
				username: list("username-headers"),
				uid: list("uid-headers"),
				group: list("group-headers"),
				extraPrefix: list("extra-headers-prefix"),
			}),
		}),
	};
}

/** What the API server shows to extension API servers. @throws Error unless both files or neither are named */
export function proxyCertificate(flags: Flags): { key: string; cert: string } | undefined {
	const cert = fileOf(flags, "proxy-client-cert-file");
	const key = fileOf(flags, "proxy-client-key-file");
	if ((cert === undefined) !== (key === undefined))
		throw new Error("--proxy-client-cert-file and --proxy-client-key-file require each other");
	return cert === undefined || key === undefined ? undefined : { key, cert };
}

/** The file of a flag; undefined without the flag. @throws Error that names both */
export function fileOf(flags: Flags, name: string): string | undefined {
	const path = flags.value(name);
	if (path === undefined || path === "") return undefined;
	try {
		return read(path);
	} catch (error) {
		throw new Error(`--${name}: ${path} cannot be read`, { cause: error });
	}
}

/**
 * The users of upstream's static token file: `token,user,uid,"group1,group2"` in each line.
 * @throws Error that names the line
 */
export function tokenUsers(text: string): (token: string) => User | undefined {
	const users = new Map<string, User>();
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		if (line.trim() === "" || line.startsWith("#")) continue;
		const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
		const [token = "", name = "", uid = "", groups = ""] = cells.map(([, quoted, plain]) =>
			(quoted?.replaceAll('""', '"') ?? plain ?? "").trim(),
		);
		if (token === "" || name === "") throw new Error(`--token-auth-file: line ${index + 1} has no token or no user`);
		const named = groups.split(",").map((group) => group.trim());
		users.set(token, {
			name,
			...(uid !== "" && { uid }),
			groups: [...named.filter((group) => group !== ""), "system:authenticated"],
		});
	}
	return (token) => users.get(token);
}

function read(path: string): string {
	return readFileSync(path, "utf8");
}
