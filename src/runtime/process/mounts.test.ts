/** What containers see of volumes, of shared memory, and of a read-only root. rootless.test.ts runs it, too. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { containerConfig, logPayload, plainSecurity, sandboxConfig } from "../contract/contract.ts";
import type { Mount } from "../runtime.ts";
import { type ProcessFixture, processFixture } from "./testing.ts";

const never = new AbortController().signal;

const mount = (hostPath: string, containerPath: string, changes: Partial<Mount> = {}): Mount => {
	return { hostPath, containerPath, readOnly: false, propagation: "None", ...changes };
};

describe.skipIf(process.getuid?.() !== 0)("mounts of containers (as root, or as root of a user namespace)", () => {
	let fixture: ProcessFixture;
	beforeEach(async () => {
		fixture = await processFixture();
	});
	afterEach(() => fixture.dispose());

	it("shares /dev/shm with the other containers of its pod, and with no other pod", async () => {
		const pod = await fixture.runtime.createSandbox(sandboxConfig("shared"));
		const script = "echo $0 >/dev/shm/$0; ls /dev/shm";
		const run = async (name: string, sandboxId: string, security = plainSecurity) => {
			const config = containerConfig(fixture.directory, name, { command: ["sh", "-c", script, name], security });
			const { id } = await fixture.runtime.createContainer(sandboxId, config);
			await fixture.runtime.startContainer(id);
			await fixture.exited(id);
			return fixture.log(name);
		};
		expect(await run("one", pod.id)).toBe("one\n");
		expect(await run("two", pod.id, { ...plainSecurity, privileged: true })).toBe("one\ntwo\n");
		expect(await run("three", pod.id, { ...plainSecurity, runAsUser: 1234 })).toBe("one\nthree\ntwo\n");
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
		// The process that keeps the pod's namespaces sees only that memory.
		const { holder } = JSON.parse(
			readFileSync(`${fixture.directory}/../state/sandboxes/${container.sandboxId}.json`, "utf8"),
		);
		expect(readFileSync(`/proc/${holder.pid}/mountinfo`, "utf8").trim().split("\n")).toHaveLength(1);
		await fixture.runtime.removeSandbox(container.sandboxId);
		expect(existsSync(`/proc/${holder.pid}/root/big`)).toBe(false);
	});

	it("finds a volume mounted on /dev/shm instead, and with the host's IPC the host's /dev/shm", async () => {
		const volume = fixture.folder("memory", { own: "" });
		expect(await fixture.output("ls /dev/shm", { mounts: [mount(volume, "/dev/shm")] })).toBe("own\n");
		const shared = mkdtempSync("/dev/shm/cox-test-");
		try {
			const script = `test -d ${shared} && echo seen`;
			expect(await fixture.output(script, { name: "host" }, { hostIpc: true })).toBe("seen\n");
			expect(await fixture.output(`${script}; true`, { name: "own" })).toBe("");
		} finally {
			rmdirSync(shared);
		}
	});

	it("cannot write a read-only root, but its volumes", async () => {
		const mounts = [mount(fixture.folder("data"), "/var/data")];
		const script = "for f in /etc/x /tmp/x /usr/x /var/data/x; do touch $f 2>/dev/null && echo $f; done; true";
		const security = { ...plainSecurity, readOnlyRootFilesystem: true };
		expect(await fixture.output(script, { mounts, security })).toBe("/var/data/x\n");
	});

	it("mounts directories and files, in each other, over links, and where nothing was", async () => {
		const outer = fixture.folder("outer", { f: "outer" });
		const inner = fixture.folder("inner", { f: "inner" });
		const token = fixture.folder("token", { token: "secret" });
		const mounts = [
			mount(inner, "/data/deep/inner"),
			mount(outer, "/data"),
			mount(token, "/var/run/secrets/kubernetes.io/serviceaccount", { readOnly: true }),
			mount(`${token}/token`, "/etc/one/file.conf", { readOnly: true }),
			mount(`${token}/token`, "/etc/hosts"),
		];
		const script = `cat /data/f /data/deep/inner/f /run/secrets/kubernetes.io/serviceaccount/token /etc/one/file.conf /etc/hosts
			touch /var/run/secrets/kubernetes.io/serviceaccount/x 2>/dev/null || echo -ro`;
		expect(await fixture.output(script, { mounts })).toBe("outerinnersecretsecretsecret-ro\n");
		expect(existsSync(`${outer}/deep/inner`)).toBe(true);
	});

	it("mounts files and directories of the node's view, where links lead to its root, and parts of volumes", async () => {
		const view = fixture.folder("view/etc", { hosts: "of the view\n" }).replace(/\/etc$/, "");
		symlinkSync("/etc", `${view}/link`);
		const root = { root: view };
		const mounts = [
			mount("/link/hosts", "/etc/hosts", root),
			mount("/link", "/one", root),
			mount("/", "/part", { ...root, subPath: "etc/hosts" }),
			mount(view, "/whole", { subPath: "etc" }),
		];
		const text = "of the view\n";
		expect(await fixture.output("cat /etc/hosts /one/hosts /part /whole/hosts", { mounts })).toBe(text.repeat(4));
	});

	it("sees mounts made later in a volume only where it asked for it", async () => {
		const data = fixture.folder("data");
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
		const mounts = [mount(fixture.folder("data"), "/data", { propagation: "Bidirectional" })];
		await expect(fixture.output("true", { mounts })).rejects.toThrow("Bidirectional");
	});
});
