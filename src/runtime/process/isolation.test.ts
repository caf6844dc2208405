/**
 * What a container sees and may do: users, capabilities, namespaces, system calls. rootless.test.ts runs it without
 * root.
 */
import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, plainSecurity } from "../contract/contract.ts";
import { type ProcessFixture, processFixture, rootless } from "./testing.ts";

const never = new AbortController().signal;
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("isolation of processes (as root, or as root of a user namespace)", () => {
	let fixture: ProcessFixture;
	beforeEach(async () => {
		fixture = await processFixture();
	});
	afterEach(() => fixture.dispose());

	/** PID of the container's first process. */
	const initOf = (id: string): number =>
		JSON.parse(readFileSync(`${fixture.directory}/../state/containers/${id}/record.json`, "utf8")).init.pid;

	it("runs as the user and group asked for, also in exec, with the files of its volumes its own", async () => {
		const config = {
			security: { ...plainSecurity, runAsUser: 1234, runAsGroup: 4321, seccompProfile: "RuntimeDefault" },
			command: ["sh", "-c", "id -u; id -g; sleep 1000"],
		};
		const container = await fixture.start(config);
		await fixture.until("it has printed", () => fixture.log("main") === "1234\n4321\n");
		const command = ["sh", "-c", "id -u; id -g; touch /tmp/mine && echo wrote"];
		const session = await fixture.runtime.exec(container.id, { command, tty: false, stdin: false, signal: never });
		expect((await collect(session)).stdout).toBe("1234\n4321\nwrote\n");
	});

	it.skipIf(rootless)("gives supplemental groups", async () => {
		expect(
			await fixture.output("id -G", {
				security: { ...plainSecurity, runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [2000, 3000] },
			}),
		).toBe("1000 2000 3000\n");
	});

	it("drops and adds capabilities, and refuses unknown ones", async () => {
		const bounding = async (name: string, capabilities: { add: string[]; drop: string[] }) => {
			const text = await fixture.output("sed -n 's/^CapBnd:.//p' /proc/self/status", {
				name,
				security: { ...plainSecurity, capabilities },
			});
			return Number.parseInt(text, 16);
		};
		const netAdmin = 2 ** 12;
		const chown = 1;
		expect((await bounding("a", { add: [], drop: [] })) & (netAdmin | chown)).toBe(chown);
		expect((await bounding("b", { add: ["NET_ADMIN"], drop: [] })) & netAdmin).toBe(netAdmin);
		expect(await bounding("c", { add: [], drop: ["ALL"] })).toBe(0);
		expect(await bounding("d", { add: ["CAP_CHOWN"], drop: ["all"] })).toBe(chown);
		await expect(
			fixture.output("true", { security: { ...plainSecurity, capabilities: { add: ["NO_SUCH"], drop: [] } } }),
		).rejects.toThrow("CAP_NO_SUCH");
	});

	it("mounts what it likes only when privileged", async () => {
		const script = "mount -t tmpfs x /mnt 2>/dev/null && echo may || echo may not";
		expect(await fixture.output(script)).toBe("may not\n");
		expect(await fixture.output(script, { name: "two", security: { ...plainSecurity, privileged: true } })).toBe(
			"may\n",
		);
	});

	it("filters system calls by the default profile or a profile of the node, also in exec, and refuses others", async () => {
		const mode = "sed -n 's/^Seccomp:.//p' /proc/self/status";
		expect(await fixture.output(mode)).toBe("0\n");
		for (const noNewPrivileges of [false, true]) {
			const security = {
				...plainSecurity,
				noNewPrivileges,
				seccompProfile: "RuntimeDefault",
				appArmorProfile: "RuntimeDefault",
			};
			const name = `default-${noNewPrivileges}`;
			const container = await fixture.start({
				name,
				security,
				command: ["sh", "-c", `${mode}; unshare --user true; sleep 1000`],
			});
			await fixture.until("it has tried", () => /unshare: .*\n/.test(fixture.log(name)));
			expect(fixture.log(name)).toMatch(/^2\n.*Operation not permitted/);
			const command = ["grep", "Seccomp:", "/proc/self/status"];
			const session = await fixture.runtime.exec(container.id, { command, tty: false, stdin: false, signal: never });
			expect((await collect(session)).stdout).toBe("Seccomp:\t2\n");
		}
		const profile = {
			defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }],
		};
		mkdirSync(`${fixture.directory}/../state/seccomp`);
		writeFileSync(`${fixture.directory}/../state/seccomp/none.json`, JSON.stringify(profile));
		const security = { ...plainSecurity, seccompProfile: "Localhost/none.json" };
		expect(await fixture.output("mkdir /tmp/x 2>&1", { name: "own", security })).toContain("Operation not permitted");
		const nothing = { defaultAction: "SCMP_ACT_ERRNO" };
		writeFileSync(`${fixture.directory}/../state/seccomp/nothing.json`, JSON.stringify(nothing));
		const silent = await fixture.start({
			name: "silent",
			command: ["true"],
			security: { ...plainSecurity, seccompProfile: "Localhost/nothing.json" },
		});
		expect((await fixture.exited(silent.id)).exitCode).not.toBe(0);
		const missing = { ...plainSecurity, seccompProfile: "Localhost/profiles/audit.json" };
		await expect(fixture.output("true", { security: missing })).rejects.toThrow("profiles/audit.json");
		const appArmorProfile = "Localhost/strict";
		await expect(fixture.output("true", { security: { ...plainSecurity, appArmorProfile } })).rejects.toThrow(
			"Localhost/strict",
		);
	});

	it("starts with descriptors 0 to 2, default signals, a usual umask and the priority it is given", async () => {
		const container = await fixture.start({ command: ["sleep", "1000"], oomScoreAdj: 777 });
		const status = readFileSync(`/proc/${initOf(container.id)}/status`, "utf8");
		expect(status).toMatch(/^SigBlk:\t0{16}$/m);
		expect(status).toMatch(/^SigIgn:\t0{16}$/m);
		expect(status).toMatch(/^Umask:\t0022$/m);
		const init = `/proc/${initOf(container.id)}`;
		expect(readdirSync(`${init}/fd`)).toEqual(["0", "1", "2"]);
		expect(readFileSync(`${init}/oom_score_adj`, "utf8")).toBe("777\n");
		expect(readFileSync(`${init}/limits`, "utf8")).toMatch(/^Max open files +1024 +\d+/m);
	});

	it("sets no_new_privs", async () => {
		const script = "sed -n 's/^NoNewPrivs:.//p' /proc/self/status";
		expect(await fixture.output(script, { security: { ...plainSecurity, noNewPrivileges: true } })).toBe("1\n");
	});

	it("has the machine's programs and none of the cluster's files, other processes, or network devices", async () => {
		const script = `ls -A ${fixture.directory}/.. 2>/dev/null | wc -l; ls -d /proc/[0-9]* | wc -l; ls /sys/class/net; command -v ls`;
		expect(await fixture.output(script)).toMatch(/^0\n[234]\nlo\n\/usr\/bin\/ls\n$/);
	});

	it.skipIf(rootless)(
		"finds homes of the machine's users empty and its own to write to, and no password or key",
		async () => {
			const secret = mkdtempSync("/root/.cox-test-");
			try {
				const script = `ls -A /root /home/* 2>/dev/null | grep -v : | wc -w; echo x >~/mine && cat ~/mine
				grep -cv '^[^:]*:[*!]' /etc/shadow; grep -c '^root:' /etc/shadow; useradd -M somebody && grep -c somebody /etc/shadow
				cat /etc/ssh/ssh_host_*_key 2>/dev/null | wc -c`;
				expect(await fixture.output(script)).toBe("0\nx\n0\n1\n1\n0\n");
				const security = { ...plainSecurity, readOnlyRootFilesystem: true };
				expect(await fixture.output("touch ~/x 2>/dev/null || echo -ro", { name: "two", security })).toBe("-ro\n");
				await fixture.dispose();
				fixture = await processFixture({ showHome: true });
				expect(await fixture.output("ls -A /root")).toContain(secret.slice("/root/".length));
				expect((await fixture.runtime.limitations()).join()).toContain("home directories");
			} finally {
				rmSync(secret, { recursive: true });
			}
		},
	);

	it.skipIf(rootless)(
		"hides no directory behind a link that another user put in the place of a hidden one",
		async () => {
			const place = mkdtempSync("/var/lib/cox-test-");
			try {
				chmodSync(place, 0o755);
				mkdirSync(`${place}/machine`);
				writeFileSync(`${place}/machine/program`, "still there\n");
				symlinkSync("machine", `${place}/data`);
				mkdirSync(`${place}/own`);
				writeFileSync(`${place}/own/secret`, "secret\n");
				await fixture.dispose();
				const hidden = [`${place}/data`, `${place}/machine/program/data`, `${place}/own`];
				fixture = await processFixture({ hiddenNow: () => hidden });
				expect(await fixture.output(`cat ${place}/machine/program ${place}/data/program; ls -A ${place}/own`)).toBe(
					"still there\nstill there\n",
				);
			} finally {
				rmSync(place, { recursive: true });
			}
		},
	);

	it("shares one process namespace in a pod that wants it, and ends it whole", async () => {
		const sandbox = { sharePid: true };
		const script = "sleep 1001 & echo $(cat /proc/1/comm); exec sleep 1002";
		const container = await fixture.start({ command: ["sh", "-c", script] }, sandbox);
		await fixture.until("it has printed", () => fixture.log("main") === "pause\n");
		await fixture.runtime.stopContainer(container.id, 0);
		expect((await fixture.exited(container.id)).exitCode).toBe(137);
	});

	it("sees the node's processes, network and host name where it is told to", async () => {
		const sandbox = { hostPid: true, hostNetwork: true, hostIpc: true, hostname: "ignored" };
		const [count, name] = (await fixture.output("ls /proc | grep -c '^[0-9]'; uname -n", {}, sandbox)).split("\n");
		expect(Number(count)).toBeGreaterThanOrEqual(
			readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).length - 5,
		);
		expect(`${name}\n`).toBe(readFileSync("/proc/sys/kernel/hostname", "utf8"));
	});

	it("writes no log through a link that a pod put in its place", async () => {
		const elsewhere = `${fixture.directory}/elsewhere`;
		writeFileSync(elsewhere, "kept");
		const command = ["sh", "-c", "echo before; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after; sleep 1000"];
		const container = await fixture.start({ command });
		await fixture.until("it has printed", () => fixture.log("main") === "before\n");
		const { logPath } = container.config;
		rmSync(logPath);
		symlinkSync(elsewhere, logPath);
		await fixture.runtime.reopenLog(container.id);
		const go = { command: ["touch", "/tmp/go"], tty: false, stdin: false, signal: never };
		await collect(await fixture.runtime.exec(container.id, go));
		await fixture.until("it has printed more", () => fixture.log("main") === "after\n");
		rmSync(logPath);
		symlinkSync(elsewhere, logPath);
		const runtime = await fixture.reopen();
		expect((await runtime.listContainers()).find(({ id }) => id === container.id)?.state).toBe("running");
		expect(readFileSync(elsewhere, "utf8")).toBe("kept");
	});

	it("sets sysctls of the pod's own namespaces, and says which it cannot", async () => {
		const sysctls = { "net.ipv4.ip_unprivileged_port_start": "80" };
		expect(await fixture.output("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", {}, { sysctls })).toBe("80\n");
		await expect(fixture.start({}, { sysctls: { "net.nonsense": "1" } })).rejects.toThrow("nonsense");
	});

	it("sets no sysctl of the machine or of a namespace that the pod shares with its node, whatever it was told", async () => {
		const before = readFileSync("/proc/sys/vm/dirty_expire_centisecs", "utf8");
		const refused = (name: string, sandbox = {}) =>
			expect(fixture.start({}, { sysctls: { [name]: "1234" }, ...sandbox })).rejects.toThrow("sysctl");
		await refused("vm.dirty_expire_centisecs");
		await refused("net/../vm/dirty_expire_centisecs");
		await refused("net/ipv4/../../vm/dirty_expire_centisecs");
		await refused("kernel.core_pattern");
		await refused("net.ipv4.tcp_syncookies", { hostNetwork: true });
		await refused("kernel.shm_rmid_forced", { hostIpc: true });
		expect(readFileSync("/proc/sys/vm/dirty_expire_centisecs", "utf8")).toBe(before);
	});

	it("has a terminal of its own that is attached to and resized", async () => {
		const command = ["sh", "-c", "tty; echo ready; read word; stty size; echo got $word; exit 3"];
		const container = await fixture.start({ command, tty: true, stdin: true });
		await fixture.until("it is ready", () => fixture.log("main").includes("ready"));
		const session = await fixture.runtime.attach(container.id, { stdin: true, signal: never });
		session.resize(101, 33);
		const size = ["sh", "-c", "stty -F /dev/pts/0 size"];
		await fixture.until("it has its size", async () => {
			const asked = await fixture.runtime.exec(container.id, {
				command: size,
				tty: false,
				stdin: false,
				signal: never,
			});
			return (await collect(asked)).stdout === "33 101\n";
		});
		session.stdin?.write("hello\n");
		const { stdout, exitCode } = await collect(session);
		expect(stdout.replaceAll("\r", "")).toContain("33 101\ngot hello\n");
		expect(exitCode).toBe(3);
		expect(fixture.log("main").replaceAll("\r", "")).toMatch(/^\/dev\/pts\/0\nready\n/);
	});

	it("starts a directory of the image's that it keeps data in empty", async () => {
		expect(await fixture.output("ls -A /var/lib/mysql | wc -l", { image: "mysql:8" })).toBe("0\n");
	});

	it("says that nothing can be limited where no control groups may be made", async () => {
		expect((await fixture.runtime.limitations()).join()).toContain("limits on CPU, memory and process numbers");
	});
});
