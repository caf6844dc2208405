import { expect, test } from "vitest";
import { dottedSysctl, isSysctlName, isSysctlPattern, sysctlNamespace, sysctlPath } from "./sysctl.ts";

test("the first separator says what divides a parameter's name", () => {
	const paths: [name: string, dotted: string, path: string][] = [
		["kernel.shm_rmid_forced", "kernel.shm_rmid_forced", "kernel/shm_rmid_forced"],
		["net/ipv4/tcp_syncookies", "net.ipv4.tcp_syncookies", "net/ipv4/tcp_syncookies"],
		["net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"],
		["net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"],
	];
	for (const [name, dotted, path] of paths) expect([dottedSysctl(name), sysctlPath(name)]).toEqual([dotted, path]);
});

test("no name leads out of /proc/sys", () => {
	for (const name of [
		"net..ipv4",
		"net../../x",
		"../x",
		"net.",
		"/net",
		"net.ipv4.",
		"net.ipv4 x",
		"NET.x",
		"net.$x",
		"x".repeat(254),
		"",
	])
		expect(isSysctlName(name), name).toBe(false);
	for (const name of ["net.ipv4.tcp_rmem", "net/ipv4/conf/eth0.1/forwarding", "kernel.sem"])
		expect(isSysctlName(name), name).toBe(true);
});

test("patterns are names or the beginning of some", () => {
	for (const pattern of ["net.*", "kernel.msg*", "kernel.sem", "net.ipv4.tcp_*", "*"])
		expect(isSysctlPattern(pattern)).toBe(true);
	for (const pattern of ["net.*.x", "net**", "", "net.", "Net.*"])
		expect(isSysctlPattern(pattern), pattern).toBe(false);
});

test("parameters belong to the namespaces of IPC or networks, or to the whole machine", () => {
	for (const name of ["kernel.shmmax", "kernel.shm_rmid_forced", "kernel.msgmnb", "kernel.sem", "fs.mqueue.msg_max"])
		expect(sysctlNamespace(name)).toBe("IPC");
	expect(sysctlNamespace("net.core.somaxconn")).toBe("Net");
	for (const name of [
		"kernel.semaphore",
		"kernel.core_pattern",
		"vm.swappiness",
		"fs.mqueue",
		"fs.file-max",
		"netx.y",
		"kernel",
	])
		expect(sysctlNamespace(name), name).toBeUndefined();
});
