/**
 * What nodes bound: kernel parameters, system calls, local storage, processes, links to their files; what containers
 * have of those who started the cluster; and nodes' configuration.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, run, TestCluster } from "./cluster.ts";

const isRoot = process.getuid?.() === 0;

/** A shell with a file open, and with settings that nobody in a container is to have. */
const shell = ["bash", "-c", 'exec 20</etc/passwd; umask 027; ulimit -Sn 3000; exec nice -n 5 "$0" "$@"'];

describe.skipIf(!isRoot)("a node's bounds (as root)", () => {
	let cluster: TestCluster;
	const file = join(tmpdir(), `cox-kubelet-${process.pid}.yaml`);
	const stolen = join(tmpdir(), `cox-stolen-${process.pid}`);
	beforeAll(async () => {
		writeFileSync(file, "allowedUnsafeSysctls: [net.core.somaxconn]\nmaxPods: 20\n");
		cluster = await TestCluster.startBy(shell, "--kubelet-config", file);
	});
	afterAll(async () => {
		await cluster?.[Symbol.asyncDispose]();
		await run("rm", ["-f", file, stolen]);
	});

	/** Makes a pod of one container. */
	const create = (name: string, script: string, spec: object = {}, container: object = {}) => {
		const only = { name: "c", image: "busybox", command: ["sh", "-c", script], ...container };
		const whole = { restartPolicy: "Never", terminationGracePeriodSeconds: 1, containers: [only], ...spec };
		const pod = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: whole };
		return cluster.kubectlInput(JSON.stringify(pod), "apply", "-f", "-");
	};
	const get = (name: string, path: string) => cluster.kubectl("get", "pod", name, "-o", `jsonpath={${path}}`);
	const phase = (name: string, wanted: string) =>
		eventually(async () => expect(await get(name, ".status.phase")).toBe(wanted), 60_000);
	const sysctls = (name: string, value: string) => ({ securityContext: { sysctls: [{ name, value }] } });

	test("only parameters that are safe, or that the configuration allows, are set", async () => {
		const path = "/proc/sys/vm/dirty_expire_centisecs";
		const before = readFileSync(path, "utf8");
		await create("machine", "true", sysctls("vm.dirty_expire_centisecs", "1234"));
		await create("unsafe", "cat /proc/sys/net/core/somaxconn", sysctls("net.core.somaxconn", "777"));
		await create("safe", "cat /proc/sys/net/ipv4/tcp_syncookies", sysctls("net.ipv4.tcp_syncookies", "0"));
		await phase("machine", "Failed");
		expect(await get("machine", ".status.reason")).toBe("SysctlForbidden");
		expect(readFileSync(path, "utf8")).toBe(before);
		await phase("unsafe", "Succeeded");
		await phase("safe", "Succeeded");
		expect(await cluster.kubectl("logs", "unsafe")).toBe("777\n");
		expect(await cluster.kubectl("logs", "safe")).toBe("0\n");
		const configz = await cluster.kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/configz");
		expect(JSON.parse(configz)).toMatchObject({ kubeletconfig: { maxPods: 20, podPidsLimit: 4096 } });
	});

	test("pods that say nothing run below a filter of system calls, others below their own or none", async () => {
		const script = "grep Seccomp: /proc/self/status; unshare --user true && echo new user; true";
		await create("plain", script);
		await create("unconfined", script, { securityContext: { seccompProfile: { type: "Unconfined" } } });
		await phase("plain", "Succeeded");
		await phase("unconfined", "Succeeded");
		expect(await cluster.kubectl("logs", "plain")).toMatch(/^Seccomp:\t2\n.*not permitted/);
		expect(await cluster.kubectl("logs", "unconfined")).toMatch(/^Seccomp:\t0\n/);
	});

	test("containers, commands in them and probes inherit nothing of the shell that started the cluster", async () => {
		// The fourth descriptor is how `ls` reads the directory; shells do not hand on to a last command what they got.
		const script = "ls /proc/self/fd; umask; nice; ulimit -Sn; grep -E 'Sig(Ign|Blk)' /proc/self/status; true";
		const expected = "0\n1\n2\n3\n0022\n0\n1024\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
		const probed = { command: ["sh", "-c", `[ -e /tmp/probed ] || { ${script}; } >/tmp/probed`] };
		const user = { securityContext: { runAsUser: 1000, runAsGroup: 1000, capabilities: { drop: ["ALL"] } } };
		await create("inheriting", `${script}; sleep 1000`, {}, { ...user, readinessProbe: { exec: probed } });
		await cluster.kubectl("wait", "--for=condition=ready", "pod/inheriting", "--timeout=60s");
		expect(await cluster.kubectl("logs", "inheriting")).toBe(expected);
		expect(await cluster.kubectl("exec", "inheriting", "--", "sh", "-c", script)).toBe(expected);
		expect(await cluster.kubectl("exec", "inheriting", "--", "cat", "/tmp/probed")).toBe(expected);
	});

	test("how soon a container ends for want of memory follows its pod's quality of service", async () => {
		const adjusted = async (name: string, resources?: object) => {
			await create(name, "cat /proc/self/oom_score_adj", {}, { resources });
			await phase(name, "Succeeded");
			return Number(await cluster.kubectl("logs", name));
		};
		const amounts = { cpu: "100m", memory: "64Mi" };
		expect(await adjusted("best-effort")).toBe(1000);
		// Root may lack CAP_SYS_RESOURCE, which it takes to go below what the node has.
		const effective = /^CapEff:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
		const mayLower = (BigInt(`0x${effective}`) >> 24n) % 2n === 1n;
		expect(await adjusted("guaranteed", { requests: amounts, limits: amounts })).toBe(mayLower ? -997 : 0);
		const between = await adjusted("burstable", { requests: amounts });
		expect(between).toBeGreaterThanOrEqual(2);
		expect(between).toBeLessThan(1000);
	});

	test("a probe runs nothing of the container's with rights that the container does not have", async () => {
		const fake = "#!/bin/bash\\ngrep CapEff /proc/self/status >>/tmp/raised; chmod 666 /tmp/raised\\n";
		const programs = "setpriv env nsenter unshare capsh chroot";
		const script = `printf '${fake}' >/tmp/fake; chmod 755 /tmp/fake
			for f in ${programs}; do cp --remove-destination /tmp/fake /usr/bin/$f; done; touch /tmp/replaced; sleep 1000`;
		const readinessProbe = { exec: { command: ["test", "-e", "/tmp/replaced"] }, periodSeconds: 1 };
		await create("raising", script, {}, { readinessProbe });
		await cluster.kubectl("wait", "--for=condition=ready", "pod/raising", "--timeout=60s");
		const seen = ["sh", "-c", "cat /tmp/raised 2>/dev/null; grep CapEff /proc/self/status"];
		expect(await cluster.kubectl("exec", "raising", "--", ...seen)).toBe("CapEff:\t00000000a80425fb\n");
	});

	test("a pod that exceeds its emptyDir, or writes more than its limit elsewhere, is evicted", async () => {
		const volume = { name: "lim", emptyDir: { sizeLimit: "1Mi" } };
		const mount = { volumeMounts: [{ name: "lim", mountPath: "/v" }] };
		const limited = { resources: { limits: { "ephemeral-storage": "1Mi" } } };
		await create("big", "head -c 3000000 /dev/zero >/v/x; sleep 1000", { volumes: [volume] }, mount);
		await create("large", "head -c 3000000 /dev/zero >/x; sleep 1000", {}, limited);
		const why = {
			big: 'Usage of EmptyDir volume "lim" exceeds the limit "1Mi". ',
			large: "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ",
		};
		for (const [name, message] of Object.entries(why)) {
			await phase(name, "Failed");
			expect(await get(name, ".status.reason")).toBe("Evicted");
			expect(await get(name, ".status.message")).toBe(message);
			const reason = '.status.conditions[?(@.type=="DisruptionTarget")].reason';
			expect(await get(name, reason)).toBe("TerminationByKubelet");
		}
	});

	test("a pod that reaches the logs shows nobody another file as a log", async () => {
		writeFileSync(stolen, "2026-01-01T00:00:00.000000000Z stdout F stolen\n");
		const script = `for log in /l/pods/*/c/0.log; do rm $log; ln -s ${stolen} $log; done; sleep 1000`;
		const logs = { volumes: [{ name: "l", hostPath: { path: "/var/log" } }] };
		await create("victim", "echo mine; sleep 1000");
		await eventually(async () => expect(await cluster.kubectl("logs", "victim")).toBe("mine\n"), 60_000);
		expect(await cluster.kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/logs/containers/")).toContain("victim");
		await create("attacker", script, logs, { volumeMounts: [{ name: "l", mountPath: "/l" }] });
		await eventually(async () => expect(await cluster.kubectl("logs", "victim")).toBe(""), 60_000);
	});

	test("cox status says the weak points of the machine", async () => {
		expect(await cluster.coxOk("status")).toContain("root in a pod is root of this machine");
	});
});
