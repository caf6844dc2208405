/** The part of a command line between `exec` and a container's program: environment, user, capabilities, terminal. */
import { readFileSync } from "node:fs";
import type { ContainerConfig } from "../runtime.ts";
import { shellWords } from "./shell.ts";

/** What a container may do that asks for nothing: the set every container engine grants. */
const defaultCapabilities = [
	"audit_write",
	"chown",
	"dac_override",
	"fowner",
	"fsetid",
	"kill",
	"mknod",
	"net_bind_service",
	"net_raw",
	"setfcap",
	"setgid",
	"setpcap",
	"setuid",
	"sys_chroot",
];

const knownCapabilities = new Set([
	...defaultCapabilities,
	..."audit_control audit_read block_suspend bpf checkpoint_restore dac_read_search ipc_lock ipc_owner lease linux_immutable".split(
		" ",
	),
	..."mac_admin mac_override net_admin net_broadcast perfmon sys_admin sys_boot sys_module sys_nice sys_pacct".split(
		" ",
	),
	..."sys_ptrace sys_rawio sys_resource sys_time sys_tty_config syslog wake_alarm".split(" "),
]);

/**
 * The command with all that is put in front of it.
 * @param rootless whether only one user exists, so that any other must be a user namespace of its own
 * @throws Error naming the field that cannot be honoured
 */
export function executeLine(options: {
	command: readonly string[];
	env: ReadonlyMap<string, string>;
	security: ContainerConfig["security"];
	tty: boolean;
	rootless: boolean;
}): string[] {
	const { security, rootless } = options;
	refuseProfiles(security);
	const env = [...options.env].map(([name, value]) => `${name}=${value}`);
	const line = ["env", "-i", ...env];
	// The bounding set goes first: in a user namespace of its own a program has nothing left to give up.
	const privileges = setpriv(security, rootless);
	if (privileges.length > 0) line.push("setpriv", ...privileges);
	const user = security.runAsUser ?? 0;
	const group = security.runAsGroup ?? 0;
	if (rootless && (user !== 0 || group !== 0))
		line.push("unshare", "--user", `--map-user=${user}`, `--map-group=${group}`);
	if (!options.tty) return [...line, ...options.command];
	// `script` gives the program a terminal of the container's own; it runs what it is given with $SHELL.
	const inTerminal = `exec ${shellWords(options.command)}`;
	return [...line, "env", "SHELL=/bin/sh", "script", "-qefc", inTerminal, "/dev/null"];
}

function refuseProfiles({ seccompProfile, appArmorProfile }: ContainerConfig["security"]): void {
	for (const [field, profile] of Object.entries({ seccompProfile, appArmorProfile })) {
		if (profile === undefined || profile === "RuntimeDefault" || profile === "Unconfined") continue;
		throw new Error(`securityContext.${field} ${profile} is not supported by the process runtime`);
	}
}

function setpriv(security: ContainerConfig["security"], rootless: boolean): string[] {
	const flags: string[] = [];
	if (!security.privileged) flags.push(`--bounding-set=${boundingSet(security.capabilities)}`);
	if (security.noNewPrivileges) flags.push("--no-new-privs");
	if (rootless) return flags;
	const groups = security.supplementalGroups;
	if (security.runAsUser !== undefined || security.runAsGroup !== undefined || groups.length > 0) {
		flags.push(
			`--reuid=${security.runAsUser ?? 0}`,
			`--regid=${security.runAsGroup ?? primaryGroup(security.runAsUser ?? 0)}`,
		);
		flags.push(groups.length > 0 ? `--groups=${groups.join(",")}` : "--clear-groups");
	}
	return flags;
}

function boundingSet(capabilities: { add: readonly string[]; drop: readonly string[] }): string {
	const set = new Set(defaultCapabilities);
	for (const name of capabilities.drop.map(plainName)) name === "all" ? set.clear() : set.delete(name);
	if (capabilities.add.map(plainName).includes("all")) return "+all";
	for (const name of capabilities.add.map(plainName)) {
		if (!knownCapabilities.has(name)) throw new Error(`unknown capability to add: "CAP_${name.toUpperCase()}"`);
		set.add(name);
	}
	return ["-all", ...[...set].sort().map((name) => `+${name}`)].join(",");
}

function plainName(capability: string): string {
	return capability.toLowerCase().replace(/^cap_/, "");
}

/** As /etc/passwd of the machine, which is the image, has it. */
function primaryGroup(user: number): number {
	return Number(passwdOf(user)?.[3] ?? 0);
}

export function homeOf(user: number): string {
	return passwdOf(user)?.[5] || "/";
}

function passwdOf(user: number): string[] | undefined {
	const lines = readFileSync("/etc/passwd", "utf8").split("\n");
	return lines.map((line) => line.split(":")).find((fields) => fields[2] === String(user));
}
