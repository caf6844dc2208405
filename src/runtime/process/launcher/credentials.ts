/** The machine's private files, which are empty in containers, whose image the machine is. */

import { existsSync, statSync } from "node:fs";
import { namesIn, readIfThere } from "../../../linux/if-there.ts";

export interface Credentials {
	/** Directories that are empty and writable; parents first. */
	homes: readonly { path: string; mode: number; uid: number; gid: number }[];
	/** Files with passwords, without them. */
	accounts: readonly { path: string; content: string }[];
	/** Files and directories that containers must not see. */
	hidden: readonly string[];
}

export const noCredentials: Credentials = { homes: [], accounts: [], hidden: [] };

const homeDirectories = ["/root", "/home"];
const accountFiles = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];
/** Keys of the machine, and the data of other container engines and clusters. */
const secrets = [
	"/etc/NetworkManager/system-connections",
	"/etc/kubernetes",
	"/etc/letsencrypt",
	"/etc/rancher",
	"/etc/ssl/private",
	"/etc/wireguard",
	"/etc/krb5.keytab",
	"/var/lib/cloud",
	"/var/lib/containerd",
	"/var/lib/containers",
	"/var/lib/docker",
	"/var/lib/etcd",
	"/var/lib/kubelet",
	"/var/lib/rancher",
	"/var/spool/cron",
];

/** The current ones; later additions only show in new homes. */
export function findCredentials(): Credentials {
	const homes = homeDirectories.flatMap((path) => {
		const below = path === "/home" ? namesIn(path).map((name) => `${path}/${name}`) : [];
		return [path, ...below].flatMap(directoryAt);
	});
	return {
		homes,
		accounts: accountFiles.flatMap((path) => {
			const text = readIfThere(path);
			return text === undefined ? [] : [{ path, content: withoutPasswords(text) }];
		}),
		hidden: [
			...secrets,
			...namesIn("/etc/ssh")
				.filter((name) => /^ssh_host_.*_key$/.test(name))
				.map((name) => `/etc/ssh/${name}`),
		].filter((path) => existsSync(path)),
	};
}

/** Lines of shadow(5) and gshadow(5): the second field is a password hash, and `*` matches none. */
export function withoutPasswords(text: string): string {
	return text.replace(/^([^:\n]*):([^:\n]+)/gm, (_line, name: string, password: string) =>
		/^[!*]/.test(password) ? `${name}:${password.slice(0, 1)}` : `${name}:*`,
	);
}

function directoryAt(path: string): Credentials["homes"] {
	try {
		const { mode, uid, gid } = statSync(path);
		return [{ path, mode: mode & 0o7777, uid, gid }];
	} catch {
		return [];
	}
}
