/**
 * Known ways to escape from a plain container (root inside, default settings), each tried with and without the default
 * seccomp filter: no protection may be the only one. A script prints ESCAPED if it succeeds. What would damage the
 * machine is only requested, not used.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exchangeNames, exchangerMissing } from "../../core/testing/exchanger.ts";
import { collect, containerConfig, plainSecurity, sandboxConfig } from "../contract/contract.ts";
import { type ProcessFixture, processFixture } from "./testing.ts";

const never = new AbortController().signal;

const security = (seccompProfile: string) => ({ ...plainSecurity, seccompProfile });

/** Prints ESCAPED unless the system call is rejected for lack of permission (or does not exist). */
const call = (numbers: { x64: number; arm64: number }, args: string) => {
	const number = process.arch === "arm64" ? numbers.arm64 : numbers.x64;
	return `perl -e 'my $e = "\\0" x 128; my $r = syscall(${number}, ${args}); print "ESCAPED $r $!\\n" unless $r < 0 && ($!{EPERM} || $!{ENOSYS} || $!{EACCES})'`;
};

/** Part of the names of what no container may find; other files on this machine do not count. */
const secret = `secret-${process.pid}`;
/** A directory that containers do not replace, in which clusters may have their data. */
const elsewhere = `/var/tmp/cox-${process.pid}`;

const attempts: readonly { name: string; script: string; perl?: true }[] = [
	{
		name: "writes /proc/sys/kernel/core_pattern",
		script: "cat /proc/sys/kernel/core_pattern >/tmp/p; cat /tmp/p >/proc/sys/kernel/core_pattern && echo ESCAPED",
	},
	{
		name: "changes memory settings of the machine",
		script: "v=$(cat /proc/sys/vm/swappiness); echo $v >/proc/sys/vm/swappiness && echo ESCAPED",
	},
	{
		name: "steers interrupts",
		script: "for f in /proc/irq/*/smp_affinity; do cat $f >/tmp/a; cat /tmp/a >$f && echo ESCAPED; done",
	},
	{
		name: "opens what steers the kernel, its buses or its file systems for writing",
		script:
			"find /proc/sys /proc/irq /proc/bus /proc/fs /proc/acpi /proc/scsi /proc/sysrq-trigger -type f | while read f; do [ -w $f ] && true >>$f && echo ESCAPED; done; true",
	},
	{ name: "triggers SysRq", script: "echo h >/proc/sysrq-trigger && echo ESCAPED" },
	{
		name: "makes /proc/sys writable again",
		script:
			"mount -o remount,bind,rw /proc/sys && echo ESCAPED; mount -o remount,rw /proc && echo ESCAPED; umount /proc/sys && echo ESCAPED; umount -l /proc/kcore && echo ESCAPED",
	},
	{
		name: "mounts /proc or /sys again without masks",
		script:
			"mkdir -p /mnt/p; mount -t proc proc /mnt/p && echo ESCAPED; mount -t sysfs sysfs /mnt/p && echo ESCAPED; mount -t debugfs d /mnt/p && echo ESCAPED; mount --bind / /mnt/p && echo ESCAPED",
	},
	{
		name: "opens a block or character device that it makes itself, anywhere",
		script: `for d in / /tmp /run /dev /dev/shm /root /var/tmp /data; do
			mknod $d/disk b 7 0 && head -c1 $d/disk && echo ESCAPED; mknod $d/mem c 1 1 && head -c1 $d/mem && echo ESCAPED
			mknod $d/kvm c 10 232 && true <$d/kvm && echo ESCAPED; mknod $d/kmsg c 1 11 && true <$d/kmsg && echo ESCAPED; done`,
	},
	{
		name: "changes the machine's devices that it may use, which work all the same",
		script: `for d in full null random tty urandom zero; do m=$(stat -c %a /dev/$d); chmod $m /dev/$d && echo ESCAPED; touch -c /dev/$d && echo ESCAPED
			chown 0 /dev/$d && echo ESCAPED; setfattr -n user.x -v y /dev/$d && echo ESCAPED; done; echo >/dev/null && head -c1 /dev/urandom >/dev/zero || echo ESCAPED`,
	},
	{
		name: "opens memory, ports or the kernel's log",
		script:
			"for f in /dev/mem /dev/port /dev/kmsg /dev/kvm /dev/fuse /dev/net/tun /dev/sda /dev/vda; do true <$f && echo ESCAPED; done; dmesg | grep . && echo ESCAPED; head -c1 /proc/kcore | grep -q . && echo ESCAPED",
	},
	{
		name: "enters namespaces of other processes",
		script:
			"for p in $(ls /proc | grep '^[0-9]'); do nsenter --target=$p --mount true && echo ESCAPED; done; nsenter --mount=/proc/1/ns/mnt true && echo ESCAPED",
	},
	{
		name: "sees or traces processes that are not its own",
		script:
			'for p in /proc/[0-9]*; do [ "$(readlink $p/ns/pid)" = "$(readlink /proc/self/ns/pid)" ] || echo ESCAPED; done; grep -l cox-shim /proc/[0-9]*/comm && echo ESCAPED',
	},
	{
		name: "has descriptors of others",
		script: 'for n in $(ls /proc/1/fd); do [ "$n" -le 2 ] || echo ESCAPED $n; done',
	},
	{
		name: "has the kernel run a program by a control group's release agent",
		script:
			"mkdir -p /mnt/c; for c in memory rdma devices; do mount -t cgroup -o $c c /mnt/c && echo ESCAPED; done; mount -t cgroup2 c /mnt/c && echo ESCAPED; for f in $(find /sys/fs/cgroup -name release_agent); do true >>$f && echo ESCAPED; done",
	},
	{
		name: "writes to /sys",
		script:
			"for f in /sys/kernel/uevent_helper /sys/kernel/mm/ksm/run /sys/module/*/parameters/*; do [ -e $f ] && true >>$f && echo ESCAPED; done; ls /sys/firmware | grep . && echo ESCAPED",
	},
	{
		name: "gets rights by a user namespace of its own",
		script: `unshare --user --map-root-user --mount --pid --fork sh -c 'umount /proc/sys && echo ESCAPED; mount -o remount,bind,rw /proc/sys && echo ESCAPED
			mount -t proc proc /mnt && echo ESCAPED; mount -t sysfs s /mnt && echo ESCAPED; true >>/proc/sys/kernel/core_pattern && echo ESCAPED; mknod /tmp/d b 7 0 && head -c1 /tmp/d && echo ESCAPED'`,
	},
	{
		name: "leaves its root by a second chroot",
		script: `mkdir -p /tmp/inner; perl -e 'chroot "/tmp/inner"; chdir ".." for 1 .. 64; chroot "."; opendir my $d, "/"; print grep(/^cox-root-mark$/, readdir $d) ? "" : "ESCAPED\\n"'`,
		perl: true,
	},
	{
		name: "opens files of the machine by their handles",
		script: call({ x64: 304, arm64: 265 }, '-100, pack("Lla8", 8, 1, "a handle"), 0'),
		perl: true,
	},
	{ name: "loads a module", script: call({ x64: 175, arm64: 105 }, "$e, 1, $e"), perl: true },
	{ name: "loads another kernel", script: call({ x64: 246, arm64: 104 }, "0, 0, $e, 0"), perl: true },
	{
		name: "runs a program in the kernel (bpf)",
		script: call({ x64: 321, arm64: 280 }, "5, $e, 128"),
		perl: true,
	},
	{ name: "restarts the machine", script: call({ x64: 169, arm64: 142 }, "0, 0, 0, 0"), perl: true },
	{ name: "sets the clock", script: 'date -s "$(date)" && echo ESCAPED' },
	{
		name: "sees keys of others",
		script: "grep . /proc/keys && echo ESCAPED",
	},
	{
		name: "gives a program rights that it does not have itself",
		script:
			"cp /usr/bin/grep /tmp/grep; setcap cap_sys_admin,cap_sys_module+eip /tmp/grep; chmod 4755 /tmp/grep; /tmp/grep CapEff /proc/self/status | grep -v 00000000a80425fb | grep . && echo ESCAPED",
	},
	{
		name: "reads private keys of users, the machine and the cluster, or tokens of agents",
		script: `find / -xdev -name '*${secret}*' 2>/dev/null | grep . && echo ESCAPED; cat ${elsewhere}/*/pki/* | grep . && echo ESCAPED
			find /etc/ssh -name 'ssh_host_*_key' -type f -size +0 | grep . && echo ESCAPED; find /root /home -type f 2>/dev/null | grep . && echo ESCAPED; cut -d: -f2 /etc/shadow | grep '^[^*!]' && echo ESCAPED`,
	},
	{
		name: "reaches sockets of the cluster's or the machine's programs",
		script: `find / -xdev -type s -name '*${secret}*' 2>/dev/null | grep . && echo ESCAPED; grep -v Path /proc/net/unix | grep . && echo ESCAPED`,
	},
	{
		name: "reaches a socket without a file of the machine's",
		script:
			'node -e \'require("net").connect("\\0cox-escape-test", () => console.log("ESCAPED")).on("error", () => {})\'',
	},
	{
		name: "mounts by the calls that take descriptors",
		script: [
			call({ x64: 430, arm64: 430 }, 'my $n = "tmpfs", 0'),
			call({ x64: 428, arm64: 428 }, '-100, my $p = "/", 1'),
			call({ x64: 433, arm64: 433 }, '-100, my $p = "/proc/sys", 0'),
			call({ x64: 429, arm64: 429 }, '-100, my $p = "/proc", -100, my $q = "/mnt", 0'),
			call({ x64: 442, arm64: 442 }, '-100, my $p = "/proc/sys", 0, pack("Q4", 0, 1, 0, 0), 32'),
		].join("\n"),
		perl: true,
	},
	{
		name: "sees what is hidden by mounting the root once more in namespaces of its own",
		script: `unshare --user --map-root-user --mount sh -c '
			see() { cat $1${elsewhere}/*/pki/* | grep . && echo ESCAPED; ls -A $1/root/.ssh | grep . && echo ESCAPED; }
			umount ${elsewhere}/first && see; mkdir -p /tmp/u /tmp/w; mount --bind / /mnt && see /mnt; mount --rbind / /mnt && see /mnt; umount -l /mnt
			mount -t overlay o -o lowerdir=/,upperdir=/tmp/u,workdir=/tmp/w,userxattr /mnt && see /mnt
			mount -t overlay o -o lowerdir=/etc:/ /mnt && see /mnt; mount --move ${elsewhere}/first /mnt && see
			mount -o remount,bind,dev / && mknod /disk b 7 0 && head -c1 /disk && echo ESCAPED'`,
	},
	{
		name: "sees what is hidden by moving, removing or replacing what it lies in",
		script: `mv ${elsewhere} ${elsewhere}-moved; rm -rf ${elsewhere}/first; rmdir ${elsewhere}/first; ln -sfn / ${elsewhere}/link
			cat ${elsewhere}*/*/pki/* | grep . && echo ESCAPED; for n in redirect origin metacopy; do setfattr -n trusted.overlay.$n -v /root /srv && echo ESCAPED; done; true`,
	},
	{
		name: "maps a kernel or another one's memory",
		script: [
			call({ x64: 320, arm64: 294 }, "-1, -1, 0, 0, 0"),
			call({ x64: 298, arm64: 241 }, 'pack("LLQx112", 1, 128, 0), -1, 0, -1, 0'),
			call({ x64: 163, arm64: 89 }, 'my $p = "/tmp/account"'),
			call({ x64: 167, arm64: 224 }, 'my $p = "/tmp/swap", 0'),
			call({ x64: 227, arm64: 112 }, '0, pack("QQ", 0, 0)'),
			call({ x64: 300, arm64: 262 }, "4, 0"),
			call({ x64: 153, arm64: 58 }, ""),
			call({ x64: 103, arm64: 116 }, "3, $e, 128"),
		].join("\n"),
		perl: true,
	},
	{
		name: "takes descriptors or memory of processes that are not its own",
		script: `for p in 1 ${process.pid}; do cat /proc/$p/mem >/dev/null && [ $p != 1 ] && echo ESCAPED; done
			${call({ x64: 101, arm64: 117 }, `16, ${process.pid}, 0, 0`).replace("$!{EPERM}", "$!{EPERM} || $!{ESRCH}")}`,
		perl: true,
	},
	{
		name: "has descriptors of others in a command",
		script: "[ $(ls /proc/self/fd | wc -l) -le 4 ] || echo ESCAPED",
	},
	{
		name: "has the terminal or session of who started the cluster",
		script: `true </dev/tty && echo ESCAPED; [ "$(cut -d' ' -f7 /proc/1/stat)" = 0 ] || echo ESCAPED; ls /dev/console /dev/tty0 /dev/ttyS0 /dev/vcs | grep . && echo ESCAPED`,
	},
	{
		name: "takes precedence over the machine's programs",
		script:
			"nice -n -5 sh -c '[ $(nice) -lt 0 ] && echo ESCAPED'; chrt --fifo 50 true && echo ESCAPED; ionice -c 1 true && echo ESCAPED; echo -1000 >/proc/self/oom_score_adj && [ $(cat /proc/self/oom_score_adj) -lt 0 ] && echo ESCAPED; sh -c 'ulimit -Hn 100000000' && echo ESCAPED",
	},
	{
		name: "changes its network, name or routes",
		script:
			"ip link add x type dummy && echo ESCAPED; ip addr add 10.96.0.1/32 dev lo && echo ESCAPED; ip route add 192.0.2.0/24 dev lo && echo ESCAPED; ip neigh add 10.0.0.1 lladdr 0:0:0:0:0:1 dev lo && echo ESCAPED; nft add table inet x && echo ESCAPED; hostname x && echo ESCAPED; echo 1 >/proc/sys/net/ipv4/ip_forward && echo ESCAPED",
	},
	{
		name: "raises its own limits by control groups",
		script:
			"find /sys/fs/cgroup -type f | while read f; do true >>$f && echo ESCAPED; done; find /sys/fs/cgroup -type d | while read d; do mkdir $d/x && echo ESCAPED; done; true",
	},
	{
		name: "registers an interpreter or a helper of the kernel",
		script:
			"for f in /proc/sys/fs/binfmt_misc/register /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sys/kernel/ns_last_pid /proc/sys/user/max_user_namespaces /proc/self/attr/current; do [ -e $f ] && echo x >$f && echo ESCAPED; done; mount -t binfmt_misc b /mnt && echo ESCAPED; true",
	},
	{
		name: "reads where the kernel is, or what debugs it",
		script:
			"grep -v '^0000000000000000' /proc/kallsyms | grep . && echo ESCAPED; cat /proc/1/stack /proc/vmallocinfo | grep 0xffff && echo ESCAPED; ls /sys/kernel/debug /sys/kernel/tracing /sys/fs/bpf /sys/fs/pstore | grep -v : | grep . && echo ESCAPED",
	},
	{
		name: "makes the machine's root run a program of its own by a setuid bit or capabilities in a volume",
		script:
			"cp /usr/bin/true /dev/shm/s; chmod 4755 /dev/shm/s; /dev/shm/s && echo ESCAPED; [ \"$(findmnt -no OPTIONS -T /data | tr , '\\n' | grep -x nodev)\" ] || echo ESCAPED",
	},
	{
		name: "takes over what runs commands inside (CVE-2019-5736)",
		script:
			`for p in /proc/[0-9]*/exe; do case "$(readlink $p)" in *launcher*) true >>$p && echo ESCAPED; cat $p >/tmp/found && echo ESCAPED;; esac; done
			${call({ x64: 322, arm64: 281 }, '-1, my $n = "", 0, 0, 0x1000')}`.replace(
				"$!{EPERM}",
				"$!{EPERM} || $!{EBADF} || $!{EFAULT}",
			),
		perl: true,
	},
	{
		name: "changes files that are mounted for it to read",
		script:
			"for f in /usr/lib/coxswain/stand-ins/bin/*; do echo >>$f && echo ESCAPED; done; mount -o remount,bind,rw /usr/lib/coxswain/stand-ins && echo ESCAPED; true",
	},
];

/**
 * Only the filter rejects these: the kernel itself would allow them for any process, and has had vulnerabilities there.
 */
const filtered: typeof attempts = [
	{
		name: "makes a user namespace",
		script: "unshare --user true && echo ESCAPED; unshare --user --mount true && echo ESCAPED",
	},
	{
		name: "uses io_uring, userfaultfd or key rings",
		script: [
			call({ x64: 425, arm64: 425 }, "1, $e"),
			call({ x64: 323, arm64: 282 }, "1"),
			call({ x64: 250, arm64: 219 }, "1, 0, 0, 0, 0"),
			call({ x64: 248, arm64: 217 }, 'my $t = "user", my $d = "cox", my $v = "x", 1, -3'),
			call({ x64: 303, arm64: 264 }, '-100, my $p = "/nowhere", $e, $e, 0').replace(
				"$!{EPERM}",
				"$!{EPERM} || $!{ENOENT}",
			),
		].join("\n"),
		perl: true,
	},
	{
		name: "talks to the hypervisor or to ciphers of the kernel",
		script: [40, 38].map((family) => call({ x64: 41, arm64: 198 }, `${family}, 1, 0`)).join("\n"),
		perl: true,
	},
];

describe.skipIf(process.getuid?.() !== 0).each(["RuntimeDefault", "Unconfined"])(
	"a plain container (as root, seccomp %s)",
	(profile) => {
		let fixture: ProcessFixture;
		let id: string;
		let abstract: Server;
		beforeAll(async () => {
			const others: string[] = [];
			fixture = await processFixture({ hiddenNow: () => others });
			writeFileSync(`${fixture.directory}/../cluster-${secret}`, "secret");
			// Of a cluster that is started, or prepared and not started, after this node.
			for (const data of [`${elsewhere}/first`, `${elsewhere}/not-there`, `${elsewhere}/second`]) others.push(data);
			for (const data of [`${elsewhere}/first`, `${elsewhere}/second`]) {
				mkdirSync(`${data}/pki`, { recursive: true, mode: 0o700 });
				writeFileSync(`${data}/pki/${secret}.key`, "secret");
			}
			createServer().listen(`${fixture.directory}/../api-${secret}.sock`).unref();
			abstract = createServer().listen("\0cox-escape-test");
			mkdirSync(`${fixture.directory}/data`);
			const mounts = [
				{
					hostPath: `${fixture.directory}/data`,
					containerPath: "/data",
					readOnly: false,
					propagation: "None" as const,
				},
			];
			const command = ["sh", "-c", "mkdir /cox-root-mark; echo ready; exec sleep 1000"];
			({ id } = await fixture.start({ command, mounts, security: security(profile) }));
			await fixture.until("it is ready", () => fixture.log("main").includes("ready"));
		});
		afterAll(async () => {
			abstract.close();
			rmSync(elsewhere, { recursive: true, force: true });
			await fixture.dispose();
		});

		it.each(profile === "Unconfined" ? attempts : [...attempts, ...filtered])(
			"never $name",
			async ({ script, perl }) => {
				if (perl && !existsSync("/usr/bin/perl")) return;
				const command = ["sh", "-c", `exec 2>/dev/null\n${script}\necho tried`];
				const { stdout } = await collect(
					await fixture.runtime.exec(id, { command, tty: false, stdin: false, signal: never }),
				);
				expect(stdout).not.toContain("ESCAPED");
				expect(stdout).toContain("tried");
			},
		);

		it("never sees more of a node whose processes it may see", async () => {
			const script = `for p in 1 ${process.pid}; do ls /proc/$p/root/ && echo ESCAPED; cat /proc/$p/environ && echo ESCAPED; readlink /proc/$p/fd/1 && echo ESCAPED
				nsenter --target=$p --mount true && echo ESCAPED; head -c1 /proc/$p/mem && echo ESCAPED; ls /proc/$p/map_files/ /proc/$p/fd/../root/etc && echo ESCAPED
				perl -e 'for (0 .. 300) { open my $f, "+<", "/proc/'$p'/fd/$_" and print "ESCAPED $_\n" }; print "ESCAPED\n" unless syscall(${process.arch === "arm64" ? 117 : 101}, 16, '$p', 0, 0) < 0'; done; true >>/proc/sys/kernel/core_pattern && echo ESCAPED; echo tried`;
			const config = {
				name: "seeing",
				command: ["sh", "-c", `exec 2>/dev/null\n${script}`],
				security: security(profile),
			};
			const container = await fixture.start(config, { hostPid: true });
			await fixture.exited(container.id);
			expect(fixture.log("seeing").replace(/^(?!tried|.*ESCAPED).*\n/gm, "")).toBe("tried\n");
		});

		it("never mounts what a link in a volume leads to", async () => {
			symlinkSync("/", `${fixture.directory}/data/link`);
			const volume = { hostPath: `${fixture.directory}/data`, readOnly: false, propagation: "None" as const };
			const mounts = [{ ...volume, subPath: "link", containerPath: "/out" }];
			const config = { name: "linked", command: ["true"], mounts, security: security(profile) };
			await expect(fixture.start(config)).rejects.toThrow("leads out");
		});

		it.skipIf(exchangerMissing !== "")(
			`never mounts what another container exchanges at that moment: 0 of 20 starts${exchangerMissing}`,
			async () => {
				const volume = `${fixture.directory}/data`;
				mkdirSync(`${volume}/x`);
				writeFileSync(`${volume}/x/inside`, "");
				symlinkSync("/", `${volume}/y`);
				await using _attack = await exchangeNames(`${volume}/x`, `${volume}/y`);
				const pod = await fixture.runtime.createSandbox(sandboxConfig(`race-${profile}`));
				let started = 0;
				for (let attempt = 0; attempt < 1000 && started < 20; attempt++) {
					const name = `race-${attempt}`;
					const mounts = [
						{ hostPath: volume, subPath: "x", containerPath: "/v", readOnly: false, propagation: "None" as const },
					];
					const config = { command: ["ls", "-A", "/v"], mounts, security: security(profile) };
					try {
						const made = await fixture.runtime.createContainer(
							pod.id,
							containerConfig(fixture.directory, name, config),
						);
						await fixture.runtime.startContainer(made.id);
						if ((await fixture.exited(made.id)).reason !== "Completed") continue;
					} catch {
						// A path that leads out is also rejected before the start.
						continue;
					}
					started++;
					expect(fixture.log(name)).toBe("inside\n");
				}
				expect(started).toBe(20);
			},
		);

		it.each([
			["shares the pod's processes", { sharePid: true }],
			["sees the node's processes", { hostPid: true }],
			["has processes of its own", {}],
		])("never begins in another process's root when it %s", async (_, sandbox) => {
			for (const workingDir of [
				"/proc/1/root",
				"/proc/1/root/etc",
				"/proc/1/cwd",
				"/proc/self/fd/7",
				`/proc/${process.pid}/root`,
			]) {
				const config = { name: "elsewhere", command: ["true"], workingDir, security: security(profile) };
				const container = await fixture.start(config, sandbox);
				const { reason, message } = await fixture.exited(container.id);
				expect([reason, message]).toEqual([
					"StartError",
					expect.stringContaining("cannot enter the working directory"),
				]);
			}
		});

		it("sees nothing but an empty root of the process that holds its pod, whatever rights it has", async () => {
			const may = { ...security(profile), capabilities: { add: ["SYS_PTRACE"], drop: [] } };
			const script =
				"cat /proc/1/comm; ls -A /proc/1/root/ /proc/1/cwd/ | grep -v : | grep . && echo ESCAPED; echo tried";
			const config = { name: "holder", command: ["sh", "-c", script], security: may };
			const container = await fixture.start(config, { sharePid: true });
			await fixture.exited(container.id);
			expect(fixture.log("holder")).toBe("pause\ntried\n");
		});

		it("runs commands among the pod's processes, and not the node's, where containers share them", async () => {
			const shared = { name: "shared", command: ["sleep", "1000"], security: security(profile) };
			const container = await fixture.start(shared, { sharePid: true });
			const script = `test -e /proc/self/stat && cat /proc/1/comm; kill -0 ${process.pid} 2>/dev/null && echo ESCAPED; true`;
			for (const tty of [false, true]) {
				const options = { command: ["sh", "-c", script], tty, stdin: false, signal: never };
				const { stdout } = await collect(await fixture.runtime.exec(container.id, options));
				expect(stdout.trim()).toBe("pause");
			}
		});

		it("leaves the machine as it was", () => {
			expect(readFileSync(`${fixture.directory}/../cluster-${secret}`, "utf8")).toBe("secret");
		});
	},
);
