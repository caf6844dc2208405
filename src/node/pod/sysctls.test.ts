import { expect, test } from "vitest";
import type { PodSpec } from "../../kinds/generated/types.ts";
import { patternProblem, safeSysctlNames, sysctlVerdict } from "./sysctls.ts";

const refused = (name: string, spec: Partial<PodSpec> = {}, unsafe: readonly string[] = []) => {
	const pod = {
		apiVersion: "v1" as const,
		kind: "Pod" as const,
		metadata: {
			name: "p",
			namespace: "default",
			uid: "p",
			resourceVersion: "1",
			creationTimestamp: "2026-01-01T00:00:00Z",
		},
		spec: { containers: [], securityContext: { sysctls: [{ name, value: "1" }] }, ...spec },
	};
	return sysctlVerdict(pod, [...safeSysctlNames("6.1.0"), ...unsafe])?.message.replace(
		/^Pod was rejected: forbidden sysctl: /,
		"",
	);
};

test("the safe parameters go with the kernel", () => {
	expect(safeSysctlNames("6.18.0-x")).toHaveLength(12);
	expect(safeSysctlNames("4.14")).not.toContain("net.ipv4.tcp_rmem");
	expect(safeSysctlNames("4.5.1")).toContain("net.ipv4.tcp_keepalive_time");
	expect(safeSysctlNames("3.10")).not.toContain("net.ipv4.ip_local_reserved_ports");
	expect(safeSysctlNames("5.0")).toContain("net.ipv4.tcp_wmem");
});

test("pods may set safe parameters, in either spelling", () => {
	expect(refused("kernel.shm_rmid_forced")).toBeUndefined();
	expect(refused("net/ipv4/tcp_syncookies")).toBeUndefined();
});

test("pods may not set others, least of all those of the whole machine", () => {
	for (const name of [
		"vm.dirty_expire_centisecs",
		"kernel.core_pattern",
		"kernel.pid_max",
		"fs.file-max",
		"net.core.somaxconn",
	])
		expect(refused(name)).toBe(`"${name}" not allowlisted`);
	expect(refused("net/ipv4/conf/all/forwarding")).toBe('"net.ipv4.conf.all.forwarding" not allowlisted');
});

test("the configuration adds parameters of namespaces and no others", () => {
	expect(refused("net.core.somaxconn", {}, ["net.core.*"])).toBeUndefined();
	expect(refused("kernel.msgmax", {}, ["kernel/msg*"])).toBeUndefined();
	expect(refused("kernel.sem", {}, ["kernel.sem"])).toBeUndefined();
	expect(refused("kernel.core_pattern", {}, ["kernel.*", "*"])).toBe('"kernel.core_pattern" not allowlisted');
	expect(patternProblem("net.*")).toBeUndefined();
	expect(patternProblem("kernel.sem")).toBeUndefined();
	for (const pattern of ["kernel.*", "vm.swappiness", "*", "kernel.core_pattern"])
		expect(patternProblem(pattern)).toBe(`the sysctl "${pattern}" are not known to be namespaced`);
	expect(patternProblem("net.[x]")).toContain("is neither a name");
});

test("pods that share a namespace with their node may not set its parameters", () => {
	expect(refused("net.ipv4.tcp_syncookies", { hostNetwork: true })).toBe(
		'"net.ipv4.tcp_syncookies" not allowed with host Net enabled',
	);
	expect(refused("kernel.shm_rmid_forced", { hostIPC: true })).toBe(
		'"kernel.shm_rmid_forced" not allowed with host IPC enabled',
	);
	expect(refused("net.core.somaxconn", { hostNetwork: true }, ["net.*"])).toContain("not allowed with host Net");
	expect(refused("net.ipv4.tcp_syncookies", { hostIPC: true })).toBeUndefined();
});
