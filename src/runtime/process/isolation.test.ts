/** What a container sees and may do: users, capabilities, mounts, namespaces, limits. Also run without root by rootless.test.ts. */
import { execFileSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, containerConfig, logPayload, sandboxConfig } from "../contract.ts";
import type { ContainerConfig, Mount } from "../runtime.ts";
import { type ProcessFixture, processFixture } from "./testing.ts";

const never = new AbortController().signal;
const isRoot = process.getuid?.() === 0;
/** Whether this is a user namespace with one user. */
const rootless = !/^\s*0\s+0\s+4294967295/.test(readFileSync("/proc/self/uid_map", "utf8"));
const cgroupMemory = "/sys/fs/cgroup/memory";

const plain: ContainerConfig["security"] = {
	supplementalGroups: [],
	privileged: false,
	readOnlyRootFilesystem: false,
	capabilities: { add: [], drop: [] },
	noNewPrivileges: false,
};

describe.skipIf(!isRoot)("isolation of processes (as root, or as root of a user namespace)", () => {
	let fixture: ProcessFixture;
	beforeEach(async () => {
		fixture = await processFixture();
	});
	afterEach(() => fixture.dispose());

	/** What a script printed, run as the container's command. */
	const output = async (script: string, config: Partial<ContainerConfig> = {}, sandbox = {}): Promise<string> => {
		const container = await fixture.start({ command: ["sh", "-c", script], ...config }, sandbox);
		const { message } = await fixture.exited(container.id);
		return message ?? fixture.log(config.name ?? "main");
	};
	/** Number of the container's first process. */
	const initOf = (id: string): number =>
		JSON.parse(readFileSync(`${fixture.directory}/../state/containers/${id}/record.json`, "utf8")).init.pid;
	const directory = (name: string, files: Record<string, string> = {}): string => {
		const path = `${fixture.directory}/${name}`;
		mkdirSync(path, { recursive: true });
		for (const [file, content] of Object.entries(files)) writeFileSync(`${path}/${file}`, content);
		return path;
	};
	const mount = (hostPath: string, containerPath: string, changes: Partial<Mount> = {}): Mount => {
		return { hostPath, containerPath, readOnly: false, propagation: "None", ...changes };
	};

	it("runs as the user and group asked for, also in exec, with the files of its volumes its own", async () => {
		const config = {
			security: { ...plain, runAsUser: 1234, runAsGroup: 4321 },
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
			await output("id -G", {
				security: { ...plain, runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [2000, 3000] },
			}),
		).toBe("1000 2000 3000\n");
	});

	it("drops and adds capabilities, and refuses unknown ones", async () => {
		const bounding = async (name: string, capabilities: { add: string[]; drop: string[] }) => {
			const text = await output("sed -n 's/^CapBnd:.//p' /proc/self/status", {
				name,
				security: { ...plain, capabilities },
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
			output("true", { security: { ...plain, capabilities: { add: ["NO_SUCH"], drop: [] } } }),
		).rejects.toThrow("CAP_NO_SUCH");
	});

	it("mounts what it likes only when privileged", async () => {
		const script = "mount -t tmpfs x /mnt 2>/dev/null && echo may || echo may not";
		expect(await output(script)).toBe("may not\n");
		expect(await output(script, { name: "two", security: { ...plain, privileged: true } })).toBe("may\n");
	});

	it("filters system calls by the default profile or a profile of the node, also in exec, and refuses others", async () => {
		const mode = "sed -n 's/^Seccomp:.//p' /proc/self/status";
		expect(await output(mode)).toBe("0\n");
		for (const noNewPrivileges of [false, true]) {
			const security = {
				...plain,
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
		const security = { ...plain, seccompProfile: "Localhost/none.json" };
		expect(await output("mkdir /tmp/x 2>&1", { name: "own", security })).toContain("Operation not permitted");
		const nothing = { defaultAction: "SCMP_ACT_ERRNO" };
		writeFileSync(`${fixture.directory}/../state/seccomp/nothing.json`, JSON.stringify(nothing));
		const silent = await fixture.start({
			name: "silent",
			command: ["true"],
			security: { ...plain, seccompProfile: "Localhost/nothing.json" },
		});
		expect((await fixture.exited(silent.id)).exitCode).not.toBe(0);
		const missing = { ...plain, seccompProfile: "Localhost/profiles/audit.json" };
		await expect(output("true", { security: missing })).rejects.toThrow("profiles/audit.json");
		const appArmorProfile = "Localhost/strict";
		await expect(output("true", { security: { ...plain, appArmorProfile } })).rejects.toThrow("Localhost/strict");
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

	it("shares /dev/shm with the other containers of its pod, and with no other pod", async () => {
		const pod = await fixture.runtime.createSandbox(sandboxConfig("shared"));
		const script = "echo $0 >/dev/shm/$0; ls /dev/shm";
		const run = async (name: string, sandboxId: string, security = plain) => {
			const config = containerConfig(fixture.directory, name, { command: ["sh", "-c", script, name], security });
			const { id } = await fixture.runtime.createContainer(sandboxId, config);
			await fixture.runtime.startContainer(id);
			await fixture.exited(id);
			return fixture.log(name);
		};
		expect(await run("one", pod.id)).toBe("one\n");
		expect(await run("two", pod.id, { ...plain, privileged: true })).toBe("one\ntwo\n");
		expect(await run("three", pod.id, { ...plain, runAsUser: 1234 })).toBe("one\nthree\ntwo\n");
		expect(await run("four", (await fixture.runtime.createSandbox(sandboxConfig("other"))).id)).toBe("four\n");
	});

	it("has 64 MiB in /dev/shm, which grows no mount of the node and ends with the pod", async () => {
		const script = `stat -fc '%T %b' /dev/shm; stat -c %a /dev/shm; head -c 70000000 /dev/zero 2>/dev/null >/dev/shm/big
			stat -c %s /dev/shm/big; exec sleep 1000`;
		const before = readFileSync("/proc/self/mountinfo", "utf8");
		const container = await fixture.start({ command: ["sh", "-c", script] });
		const written = await fixture.until("it has filled it", () => /^67108864\n/m.test(fixture.log("main")));
		expect(written).toBe(true);
		expect(fixture.log("main")).toBe("tmpfs 16384\n1777\n67108864\n");
		expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
		// What keeps the pod's namespaces sees nothing but that memory.
		const { holder } = JSON.parse(
			readFileSync(`${fixture.directory}/../state/sandboxes/${container.sandboxId}.json`, "utf8"),
		);
		expect(readFileSync(`/proc/${holder.pid}/mountinfo`, "utf8").trim().split("\n")).toHaveLength(1);
		await fixture.runtime.removeSandbox(container.sandboxId);
		expect(existsSync(`/proc/${holder.pid}/root/big`)).toBe(false);
	});

	it("finds a volume mounted on /dev/shm instead, and with the host's IPC the host's /dev/shm", async () => {
		const volume = directory("memory", { own: "" });
		expect(await output("ls /dev/shm", { mounts: [mount(volume, "/dev/shm")] })).toBe("own\n");
		const shared = mkdtempSync("/dev/shm/cox-test-");
		try {
			const script = `test -d ${shared} && echo seen`;
			expect(await output(script, { name: "host" }, { hostIpc: true })).toBe("seen\n");
			expect(await output(`${script}; true`, { name: "own" })).toBe("");
		} finally {
			rmdirSync(shared);
		}
	});

	it("sets no_new_privs", async () => {
		const script = "sed -n 's/^NoNewPrivs:.//p' /proc/self/status";
		expect(await output(script, { security: { ...plain, noNewPrivileges: true } })).toBe("1\n");
	});

	it("cannot write a read-only root, but its volumes", async () => {
		const mounts = [mount(directory("data"), "/var/data")];
		const script = "for f in /etc/x /tmp/x /usr/x /var/data/x; do touch $f 2>/dev/null && echo $f; done; true";
		const security = { ...plain, readOnlyRootFilesystem: true };
		expect(await output(script, { mounts, security })).toBe("/var/data/x\n");
	});

	it("mounts directories and files, in each other, over links, and where nothing was", async () => {
		const outer = directory("outer", { f: "outer" });
		const inner = directory("inner", { f: "inner" });
		const token = directory("token", { token: "secret" });
		const mounts = [
			mount(inner, "/data/deep/inner"),
			mount(outer, "/data"),
			mount(token, "/var/run/secrets/kubernetes.io/serviceaccount", { readOnly: true }),
			mount(`${token}/token`, "/etc/one/file.conf", { readOnly: true }),
			mount(`${token}/token`, "/etc/hosts"),
		];
		const script = `cat /data/f /data/deep/inner/f /run/secrets/kubernetes.io/serviceaccount/token /etc/one/file.conf /etc/hosts
			touch /var/run/secrets/kubernetes.io/serviceaccount/x 2>/dev/null || echo -ro`;
		expect(await output(script, { mounts })).toBe("outerinnersecretsecretsecret-ro\n");
		expect(existsSync(`${outer}/deep/inner`)).toBe(true);
	});

	it("mounts files and directories of the node's view, where links lead to its root, and parts of volumes", async () => {
		const view = directory("view/etc", { hosts: "of the view\n" }).replace(/\/etc$/, "");
		symlinkSync("/etc", `${view}/link`);
		const root = { root: view };
		const mounts = [
			mount("/link/hosts", "/etc/hosts", root),
			mount("/link", "/one", root),
			mount("/", "/part", { ...root, subPath: "etc/hosts" }),
			mount(view, "/whole", { subPath: "etc" }),
		];
		const text = "of the view\n";
		expect(await output("cat /etc/hosts /one/hosts /part /whole/hosts", { mounts })).toBe(text.repeat(4));
	});

	it("sees mounts made later in a volume only where it asked for it", async () => {
		const data = directory("data");
		const run = (command: string, ...args: string[]) => execFileSync(command, args);
		run("mount", "-t", "tmpfs", "-o", "size=1m", "shared", data);
		run("mount", "--make-shared", data);
		let mounted = false;
		try {
			const mounts = [
				mount(data, "/follows", { propagation: "HostToContainer" }),
				mount(data, "/follows-too", { propagation: "HostToContainer", readOnly: true }),
				mount(data, "/does-not"),
			];
			const script = "read line; cat /follows/later/f /follows-too/later/f /does-not/later/f; exit 3";
			const container = await fixture.start({ command: ["sh", "-c", script], mounts, stdin: true });
			mkdirSync(`${data}/later`);
			run("mount", "-t", "tmpfs", "-o", "size=1m", "later", `${data}/later`);
			mounted = true;
			writeFileSync(`${data}/later/f`, "seen\n");
			const session = await fixture.runtime.attach(container.id, { stdin: true, signal: never });
			session.stdin?.write("go\n");
			await fixture.exited(container.id);
			expect(logPayload(readFileSync(`${fixture.directory}/main.log`, "utf8"), "stdout")).toBe("seen\nseen\n");
		} finally {
			if (mounted) run("umount", `${data}/later`);
			run("umount", data);
		}
	});

	it("refuses to hand its own mounts on", async () => {
		const mounts = [mount(directory("data"), "/data", { propagation: "Bidirectional" })];
		await expect(output("true", { mounts })).rejects.toThrow("Bidirectional");
	});

	it("has the machine's programs and none of the cluster's files, other processes, or network devices", async () => {
		const script = `ls -A ${fixture.directory}/.. 2>/dev/null | wc -l; ls -d /proc/[0-9]* | wc -l; ls /sys/class/net; command -v ls`;
		expect(await output(script)).toMatch(/^0\n[234]\nlo\n\/usr\/bin\/ls\n$/);
	});

	it.skipIf(rootless)(
		"finds homes of the machine's users empty and its own to write to, and no password or key",
		async () => {
			const secret = mkdtempSync("/root/.cox-test-");
			try {
				const script = `ls -A /root /home/* 2>/dev/null | grep -v : | wc -w; echo x >~/mine && cat ~/mine
				grep -cv '^[^:]*:[*!]' /etc/shadow; grep -c '^root:' /etc/shadow; useradd -M somebody && grep -c somebody /etc/shadow
				cat /etc/ssh/ssh_host_*_key 2>/dev/null | wc -c`;
				expect(await output(script)).toBe("0\nx\n0\n1\n1\n0\n");
				const security = { ...plain, readOnlyRootFilesystem: true };
				expect(await output("touch ~/x 2>/dev/null || echo -ro", { name: "two", security })).toBe("-ro\n");
				await fixture.dispose();
				fixture = await processFixture({ showHome: true });
				expect(await output("ls -A /root")).toContain(secret.slice("/root/".length));
				expect((await fixture.runtime.limitations()).join()).toContain("home directories");
			} finally {
				rmSync(secret, { recursive: true });
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
		const [count, name] = (await output("ls /proc | grep -c '^[0-9]'; uname -n", {}, sandbox)).split("\n");
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
		expect(await output("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", {}, { sysctls })).toBe("80\n");
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
		expect(await output("ls -A /var/lib/mysql | wc -l", { image: "mysql:8" })).toBe("0\n");
	});

	it("says that nothing can be limited where no control groups may be made", async () => {
		expect((await fixture.runtime.limitations()).join()).toContain("limits on CPU, memory and process numbers");
	});
});

describe.skipIf(!isRoot || rootless || !existsSync(cgroupMemory))(
	"limits of processes (as root, control groups version 1)",
	() => {
		let fixture: ProcessFixture;
		let cgroup: string;
		beforeEach(async () => {
			cgroup = mkdtempSync(`${cgroupMemory}/cox-test-`).slice(cgroupMemory.length + 1);
			fixture = await processFixture({ cgroup });
		});
		afterEach(async () => {
			await fixture.dispose();
			for (const controller of ["memory", "cpu", "pids"]) rmdirSync(`/sys/fs/cgroup/${controller}/${cgroup}`);
		});

		it("kills what takes more memory than it may, and says OOMKilled", async () => {
			expect((await fixture.runtime.limitations()).join()).not.toContain("limits");
			const container = await fixture.start({
				command: [process.execPath, "-e", "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1));"],
				limits: { memoryLimitBytes: 200 * 2 ** 20 },
			});
			expect(await fixture.exited(container.id)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
		});

		it("charges a container for what it writes to /dev/shm", async () => {
			const container = await fixture.start({
				command: ["sh", "-c", "exec head -c 60000000 /dev/zero >/dev/shm/big"],
				limits: { memoryLimitBytes: 2 ** 25 },
			});
			expect(await fixture.exited(container.id)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
		});

		it("limits the containers of a pod together, also those without limits of their own", async () => {
			const pod = await fixture.runtime.createSandbox(
				sandboxConfig("pod-limits", { cgroup: { memoryLimitBytes: 2 ** 26, cpuLimitMillis: 500 } }),
			);
			const create = async (name: string, config: Partial<ContainerConfig>) => {
				const made = await fixture.runtime.createContainer(pod.id, containerConfig(fixture.directory, name, config));
				await fixture.runtime.startContainer(made.id);
				return made.id;
			};
			const script = "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1));";
			const neighbour = await create("neighbour", { command: ["sleep", "1000"], limits: { cpuLimitMillis: 100 } });
			const hungry = await create("hungry", { command: [process.execPath, "-e", script] });
			expect(await fixture.exited(hungry)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
			const quota = (path: string) =>
				readFileSync(`/sys/fs/cgroup/cpu/${cgroup}/${path}/cpu.cfs_quota_us`, "utf8").trim();
			const group = `pod${pod.config.podUid}`;
			expect([quota(group), quota(`${group}/${neighbour}`)]).toEqual(["50000", "10000"]);
		});

		it("bounds the processes of a pod, those of exec among them, whether its containers have limits or not", async () => {
			// No bomb goes off where nothing bounds it: so many are begun and no more.
			const bomb = [
				"sh",
				"-c",
				"trap '' TERM; for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6; do sleep 1000 >/dev/null 2>&1 & done; done",
			];
			const pod = await fixture.runtime.createSandbox(sandboxConfig("pod-bomb", { pidsLimit: 30 }));
			const start = async (name: string, limits: ContainerConfig["limits"]) => {
				const config = containerConfig(fixture.directory, name, { command: ["sleep", "1000"], limits });
				const made = await fixture.runtime.createContainer(pod.id, config);
				await fixture.runtime.startContainer(made.id);
				return made.id;
			};
			const ids = [await start("plain", {}), await start("limited", { memoryLimitBytes: 2 ** 28 })];
			const count = () => Number(readFileSync(`/sys/fs/cgroup/pids/${cgroup}/pod${pod.config.podUid}/pids.current`));
			expect(count()).toBe(2);
			for (const id of ids) {
				const signal = new AbortController().signal;
				const session = await fixture.runtime.exec(id, { command: bomb, tty: false, stdin: false, signal });
				await collect(session);
				expect(count()).toBeLessThanOrEqual(30);
			}
			expect(count()).toBeGreaterThan(20);
			await fixture.runtime.removeSandbox(pod.id);
			expect(existsSync(`/sys/fs/cgroup/pids/${cgroup}/pod${pod.config.podUid}`)).toBe(false);
		});

		it("limits processes and CPU, and changes limits while it runs", async () => {
			const limits = { pidsLimit: 5, cpuLimitMillis: 250, cpuRequestMillis: 100 };
			const script = "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo started; wait";
			const container = await fixture.start({ command: ["sh", "-c", script], limits });
			await fixture.exited(container.id);
			expect(fixture.log("main")).toMatch(/fork|started|retry/i);
			const second = await fixture.start({ name: "second", command: ["sleep", "1000"], limits });
			const quota = () => readFileSync(`/sys/fs/cgroup/cpu/${cgroup}/${second.id}/cpu.cfs_quota_us`, "utf8").trim();
			expect(quota()).toBe("25000");
			await fixture.runtime.updateLimits(second.id, { cpuLimitMillis: 500 });
			expect(quota()).toBe("50000");
		});
	},
);
