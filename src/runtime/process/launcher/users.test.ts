/** Pods with user namespaces: their root has no privileges on the machine. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, sandboxConfig } from "../../contract/contract.ts";
import { type ProcessFixture, processFixture } from "../testing.ts";
import { pickUserBase, usersOfPod } from "./hold.ts";

const never = new AbortController().signal;
const isRootOfMachine =
	process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295/.test(readFileSync("/proc/self/uid_map", "utf8"));

it("a pod's range of users is no other pod's", () => {
	const numbers = [0.5, 0.5, 0.25];
	const first = pickUserBase(new Set(), () => 0.5);
	expect(pickUserBase(new Set([first]), () => numbers.shift() ?? 0)).not.toBe(first);
	expect(first % usersOfPod).toBe(0);
	expect(pickUserBase(new Set(), () => 0.999_999) + usersOfPod).toBeLessThan(2 ** 32);
});

describe.skipIf(!isRootOfMachine)("pods with users of their own (as root)", () => {
	let fixture: ProcessFixture;
	beforeEach(async () => {
		fixture = await processFixture();
	});
	afterEach(() => fixture.dispose());

	const ownUsers = { ownUsers: true };
	const recordOf = (id: string) =>
		JSON.parse(readFileSync(`${fixture.directory}/../state/containers/${id}/record.json`, "utf8"));

	it("have root inside and another user outside, for files, processes and commands in them", async () => {
		const script = `id -u; stat -c %u:%g /etc/passwd /usr/bin/su; touch /etc/mine && chown 33:33 /etc/mine && stat -c %u:%g /etc/mine
			hostname; echo out >/dev/stdout; cat /proc/self/uid_map | tr -s ' '; exec sleep 1000`;
		const container = await fixture.start({ command: ["sh", "-c", script] }, { ...ownUsers, hostname: "own" });
		await fixture.until("it has printed", () => fixture.log("main").includes(" 65536\n"));
		const { init, userBase } = recordOf(container.id);
		expect(fixture.log("main")).toBe(`0\n0:0\n0:0\n33:33\nown\nout\n 0 ${userBase} 65536\n`);
		expect(readFileSync(`/proc/${init.pid}/status`, "utf8")).toContain(`Uid:\t${userBase}\t`);
		const command = ["sh", "-c", "id -u; touch /root/x && stat -c %u /root/x; tty"];
		const session = await fixture.runtime.exec(container.id, { command, tty: true, stdin: false, signal: never });
		expect((await collect(session)).stdout.replaceAll("\r", "")).toMatch(/^0\n0\n\/dev\/pts\/0\n$/);
		await fixture.reopen();
		await fixture.runtime.stopContainer(container.id, 0);
	});

	it("may listen on low ports, run as other users, and do nothing to the machine", async () => {
		const server = `require("net").createServer(s => s.end("low")).listen(80, "127.0.0.1", () => console.log("up"))`;
		const container = await fixture.start({ command: [process.execPath, "-e", server] }, ownUsers);
		await fixture.until("it listens", () => fixture.log("main").includes("up"));
		const stream = await fixture.runtime.connect(container.sandboxId, 80, never);
		let text = "";
		for await (const chunk of stream) text += chunk.toString();
		expect(text).toBe("low");
		const script = `exec 2>/dev/null; mknod /tmp/d c 1 3 && echo MADE; true >>/proc/sys/kernel/core_pattern && echo OPEN
			mount -t proc p /mnt && echo MOUNTED; nice -n -5 true; /usr/bin/setpriv --reuid=1000 --clear-groups id -u; grep CapEff /proc/self/status`;
		const session = await fixture.runtime.exec(container.id, {
			command: ["sh", "-c", script],
			tty: false,
			stdin: false,
			signal: never,
		});
		expect((await collect(session)).stdout).toBe("1000\nCapEff:\t00000000a80425fb\n");
	});

	it("own their /dev/shm", async () => {
		const script = "stat -fc %b /dev/shm; stat -c %u:%a /dev/shm; touch /dev/shm/x && stat -c %u /dev/shm/x";
		const container = await fixture.start({ command: ["sh", "-c", script] }, ownUsers);
		await fixture.exited(container.id);
		expect(fixture.log("main")).toBe("16384\n0:1777\n0\n");
	});

	it("own the files they make in volumes, and share none of their users with another pod", async () => {
		mkdirSync(`${fixture.directory}/data`, { mode: 0o777 });
		writeFileSync(`${fixture.directory}/data/before`, "");
		const mounts = [
			{ hostPath: `${fixture.directory}/data`, containerPath: "/data", readOnly: false, propagation: "None" as const },
		];
		const script = "stat -c %u /data/before; touch /data/after && stat -c %u /data/after";
		const container = await fixture.start({ command: ["sh", "-c", script], mounts }, ownUsers);
		await fixture.exited(container.id);
		expect(fixture.log("main")).toBe("0\n0\n");
		// Shifted if the file system supports it: the volume looks as if the machine's root had used it.
		expect(statSync(`${fixture.directory}/data/after`).uid).toBe(0);
		const other = await fixture.runtime.createSandbox(sandboxConfig("other", ownUsers));
		const records = [container.sandboxId, other.id].map((id) =>
			JSON.parse(readFileSync(`${fixture.directory}/../state/sandboxes/${id}.json`, "utf8")),
		);
		expect(new Set(records.map(({ userBase }) => userBase)).size).toBe(2);
	});

	it("share processes, read-only roots and users of the pod's choice as other pods do", async () => {
		const config = {
			command: ["sh", "-c", "id -u; touch /etc/x 2>/dev/null || echo -ro; cat /proc/1/comm"],
			security: {
				runAsUser: 1234,
				supplementalGroups: [],
				privileged: false,
				readOnlyRootFilesystem: true,
				capabilities: { add: [], drop: ["ALL"] },
				noNewPrivileges: true,
				seccompProfile: "RuntimeDefault",
			},
		};
		const container = await fixture.start(config, { ...ownUsers, sharePid: true });
		await fixture.exited(container.id);
		expect(fixture.log("main")).toBe("1234\n-ro\npause\n");
	});
});
