import type { Check, Control } from "./control.ts";

function onlyThese(...lists: (readonly string[])[]): Check {
	const allowed = new Set(lists.flat());
	return ({ spec }) => {
		const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.has(name));
		return names.length === 0 ? undefined : { reason: "forbidden sysctls", detail: names.join(", ") };
	};
}

const first = [
	"kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.ping_group_range",
	"net.ipv4.ip_unprivileged_port_start",
];
const since27 = ["net.ipv4.ip_local_reserved_ports"];
const since29 = [
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes",
];
const since32 = ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

/** None but those that concern the pod alone. */
export const sysctls: Control = {
	id: "sysctls",
	level: "baseline",
	versions: [
		{ since: 0, check: onlyThese(first) },
		{ since: 27, check: onlyThese(first, since27) },
		{ since: 29, check: onlyThese(first, since27, since29) },
		{ since: 32, check: onlyThese(first, since27, since29, since32) },
	],
};
