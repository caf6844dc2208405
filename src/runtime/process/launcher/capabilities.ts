/** Linux capabilities as masks (capabilities(7)). */

/** In the order of their numbers (linux/capability.h). */
const names =
	"chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore".split(
		" ",
	);

/** The default of container engines. */
const granted =
	"audit_write chown dac_override fowner fsetid kill mknod net_bind_service net_raw setfcap setgid setpcap setuid sys_chroot".split(
		" ",
	);

export const allCapabilities = (1n << BigInt(names.length)) - 1n;

const grantedMask = granted.reduce((mask, name) => mask | bit(name), 0n);

/**
 * The capabilities of a container.
 * @param change names as in a pod's security context: `NET_ADMIN`, `CAP_NET_ADMIN`, `ALL`
 * @throws Error for an unknown capability to add; an unknown one to drop is ignored
 */
export function capabilityMask(change: { add: readonly string[]; drop: readonly string[] }): bigint {
	let mask = grantedMask;
	for (const name of change.drop.map(plainName)) mask &= name === "all" ? 0n : ~(names.includes(name) ? bit(name) : 0n);
	for (const name of change.add.map(plainName)) {
		if (name !== "all" && !names.includes(name))
			throw new Error(`unknown capability to add: "CAP_${name.toUpperCase()}"`);
		mask |= name === "all" ? allCapabilities : bit(name);
	}
	return mask;
}

/** `CAP_CHOWN`, … */
export function capabilityNames(mask: bigint): Set<string> {
	return new Set(names.filter((name) => (mask & bit(name)) !== 0n).map((name) => `CAP_${name.toUpperCase()}`));
}

function bit(name: string): bigint {
	return 1n << BigInt(names.indexOf(name));
}

function plainName(capability: string): string {
	return capability.toLowerCase().replace(/^cap_/, "");
}
