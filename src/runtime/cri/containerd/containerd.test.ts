/** The contract of runtimes with a real containerd: one for all tests, and a label for the things of each. */
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect } from "vitest";
import { describeWith } from "../../../core/testing/programs.ts";
import { systemClock } from "../../../core/time/clock.ts";
import { importImages } from "../../../images/archives/import.ts";
import { ImageStore } from "../../../images/store/store.ts";
import { StoreWriter } from "../../../images/store/store-writer.ts";
import { busyboxImage, dir, link } from "../../../images/testing/image-builder.ts";
import { writeLayout } from "../../../images/testing/layout.ts";
import { removeCgroups } from "../../../linux/cgroup-tree.ts";
import { run } from "../../../linux/command.ts";
import { namesIn } from "../../../linux/if-there.ts";
import { allPids } from "../../../linux/processes.ts";
import { readMounts } from "../../../linux/rootview-files.ts";
import { runtimeContract } from "../../contract/contract.ts";
import type { Runtime } from "../../runtime.ts";
import { Daemon } from "./daemon.ts";
import { createContainerdRuntime } from "./runtime.ts";

const clock = systemClock();
const architecture = process.arch === "x64" ? "amd64" : process.arch;

describeWith(["containerd", "runc"], "containerd (as root)", () => {
	const directory = mkdtempSync(`${tmpdir()}/cox-containerd-`);
	const cgroup = `cox-test-${process.pid}`;
	// What it mounts is in a namespace of its own.
	const enter = ["unshare", "--mount", "--propagation", "slave"];
	const daemonOptions = { clock, directory: `${directory}/containerd`, socket: `${directory}/cri.sock`, enter };
	const store = ImageStore.open(`${directory}/store`);
	let fixtures = 0;

	beforeAll(async () => {
		// What the runtime mounts for containers reaches containerd.
		await run(["mount", "--bind", directory, directory]);
		await run(["mount", "--make-shared", directory]);
		const applets = ["mount", "stty", "tty", "uname", "printf", "nc"];
		const image = busyboxImage({}, [
			dir("var"),
			dir("var/lib"),
			...applets.map((name) => link(`bin/${name}`, "busybox")),
		]);
		const layout = `${directory}/layout`;
		writeLayout(image, layout);
		const writer = new StoreWriter(store);
		const platform = { os: "linux", architecture };
		await importImages(layout, { writer, platform, nowMs: clock.now(), name: "busybox" });
	});

	afterAll(async () => {
		await new Daemon(daemonOptions).stop();
		const left = leftovers(directory, cgroup);
		await removeCgroups(cgroup, clock);
		await run(["umount", "--lazy", directory]);
		await rm(directory, { recursive: true, force: true });
		if (left.length > 0) throw new Error(`left behind: ${left.join("; ")}`);
	});

	runtimeContract("containerd", {
		server: (port) => {
			const listens = `case $(cat /proc/net/tcp /proc/net/tcp6) in *:${port.toString(16).toUpperCase()}*) break;; esac`;
			const serve = `nc -ll -p ${port} -e echo -n from inside`;
			return ["sh", "-c", `${serve} & while :; do ${listens}; done; echo up; wait`];
		},
		async open() {
			const logs = mkdtempSync(`${directory}/logs-`);
			const owner = `fixture-${++fixtures}`;
			const open = () =>
				createContainerdRuntime({
					...daemonOptions,
					owner,
					cgroup,
					seccompProfiles: `${directory}/seccomp`,
					store,
					pull: async () => ({ ok: false, kind: "unreachable", message: "there is no registry" }),
					pullsAtOnce: 1,
				});
			let runtime: Runtime = await open();
			return {
				runtime,
				directory: logs,
				pass: () => clock.sleep(20),
				async reopen() {
					await runtime.close();
					runtime = await open();
					return runtime;
				},
				async dispose() {
					for (const { id } of await runtime.listSandboxes()) await runtime.removeSandbox(id);
					expect(namesIn(`${directory}/containerd/mounts`)).toEqual([]);
					await runtime.close();
				},
			};
		},
	});
});

/** Processes by their arguments, and control groups of pods. */
function leftovers(directory: string, cgroup: string): string[] {
	const commands = allPids().map((pid) => readText(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
	const groups = readMounts()
		.filter(({ type }) => type.startsWith("cgroup"))
		.flatMap(({ path }) => namesIn(`${path}/${cgroup}`).map((name) => `${path}/${cgroup}/${name}`));
	return [
		...commands.filter((text) => text.includes(directory)),
		...groups.filter((group) => group.includes("/podpod-")),
	];
}

function readText(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}
