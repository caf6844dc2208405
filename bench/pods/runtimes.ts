/** What it costs to start a sandbox and a container from an image that is there, with each runtime of this machine. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { systemClock } from "../../src/core/time/clock.ts";
import { importImages } from "../../src/images/archives/import.ts";
import { ImageStore } from "../../src/images/store/store.ts";
import { StoreWriter } from "../../src/images/store/store-writer.ts";
import { busyboxImage, busyboxLayer } from "../../src/images/testing/image-builder.ts";
import { writeLayout } from "../../src/images/testing/layout.ts";
import { containerConfig, sandboxConfig } from "../../src/runtime/contract/defaults.ts";
import { criContainerConfig, criSandboxConfig } from "../../src/runtime/cri/config.ts";
import { Daemon } from "../../src/runtime/cri/containerd/daemon.ts";
import { createContainerdRuntime } from "../../src/runtime/cri/containerd/runtime.ts";
import { CriClient } from "../../src/runtime/cri/wire/client.ts";
import { methods } from "../../src/runtime/cri/wire/methods.ts";
import { createProcessRuntime } from "../../src/runtime/process/runtime.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";

export interface Contender {
	name: string;
	/** Returns when the container runs. @returns what removes it */
	start(id: string): Promise<() => Promise<unknown>>;
}

const clock = systemClock();
const command = ["sleep", "1000"];
const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const noPull = async () => ({ ok: false, kind: "unreachable", message: "there is no registry" }) as const;

/** @returns those that this machine has. Their processes end with the PID namespace. */
export async function contenders(directory: string): Promise<Contender[]> {
	const store = ImageStore.open(`${directory}/store`);
	writeLayout(busyboxImage(), `${directory}/layout`);
	const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
	const writer = new StoreWriter(store);
	await importImages(`${directory}/layout`, { writer, platform, nowMs: clock.now(), name: "busybox" });
	const images = { store, pull: noPull };
	const processes = await createProcessRuntime({
		clock,
		directory: `${directory}/process`,
		scratchDirectory: `${directory}/scratch`,
		hidden: [directory],
		images,
	});
	return [
		await ofRuntime("process runtime", processes, `${directory}/logs`),
		...["crun", "runc"].filter(has).map((program) => ofBundle(program, `${directory}/${program}`)),
		...(has("containerd") && has("runc") ? await ofContainerd(directory, store) : []),
	];
}

async function ofRuntime(name: string, runtime: Runtime, logs: string): Promise<Contender> {
	mkdirSync(logs, { recursive: true });
	const wanted = { pullPolicy: "IfNotPresent", hasCommand: true, source: "registry" as const };
	const { id: imageId } = await runtime.resolveImage("busybox", wanted);
	return {
		name,
		async start(id) {
			const sandbox = await runtime.createSandbox(sandboxConfig(id));
			const container = await runtime.createContainer(sandbox.id, containerConfig(logs, id, { command, imageId }));
			await runtime.startContainer(container.id);
			return () => runtime.removeSandbox(sandbox.id);
		},
	};
}

/** `run` of a bundle with the image's files. There is neither a sandbox nor a writable layer. */
function ofBundle(program: string, bundle: string): Contender {
	mkdirSync(`${bundle}/rootfs`, { recursive: true });
	run("tar", ["-x", "-C", `${bundle}/rootfs`], busyboxLayer());
	run(program, ["spec", "--bundle", bundle]);
	const spec = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8"));
	Object.assign(spec.process, { args: command, terminal: false });
	writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
	return {
		name: `${program} run`,
		async start(id) {
			run(program, ["run", "--detach", "--bundle", bundle, id]);
			return async () => run(program, ["delete", "--force", id]);
		},
	};
}

function run(program: string, args: string[], input?: Buffer): void {
	const { status } = spawnSync(program, args, { input, stdio: [input ? "pipe" : "ignore", "ignore", "inherit"] });
	if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed`);
}

async function ofContainerd(directory: string, store: ImageStore): Promise<Contender[]> {
	const options = { clock, directory: `${directory}/containerd`, socket: `${directory}/cri.sock` };
	const owner = "bench";
	const cri = { owner, seccompProfiles: `${directory}/seccomp` };
	const runtime = await createContainerdRuntime({ ...options, ...cri, store, pull: noPull, pullsAtOnce: 1 });
	const ours = await ofRuntime("containerd, as a node uses it", runtime, `${directory}/logs`);
	// It has the image from now on.
	await (await ours.start("first"))();
	const client = new CriClient(new Daemon(options).paths.socket, clock);
	const { images } = await client.call(methods.listImages, {});
	const image = images.flatMap(({ repoDigests = [] }) => repoDigests).find((name) => name.includes("busybox")) ?? "";
	const straight: Contender = {
		name: "containerd, three calls of CRI",
		async start(id) {
			const sandbox = sandboxConfig(id);
			const config = containerConfig(`${directory}/logs`, id, { command });
			// Another owner: the runtime above lists only what is its own.
			const other = { ...cri, owner: "straight" };
			const request = { config: criSandboxConfig(sandbox, other) };
			const { podSandboxId = "" } = await client.call(methods.runSandbox, request);
			const { containerId = "" } = await client.call(methods.createContainer, {
				podSandboxId,
				config: criContainerConfig(config, { sandbox, image, mounts: [] }, other),
				sandboxConfig: request.config,
			});
			await client.call(methods.startContainer, { containerId });
			return async () => {
				await client.call(methods.stopSandbox, { podSandboxId });
				await client.call(methods.removeSandbox, { podSandboxId });
			};
		},
	};
	return [ours, straight];
}

/** Removes what `contenders` has written. */
export function cleanUp(directory: string): void {
	rmSync(directory, { recursive: true, force: true });
}
