/** The files and command lines that make a container of its record. */
import { writeFileSync } from "node:fs";
import type { ContainerConfig } from "../runtime.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Environment } from "./environment.ts";
import { containerPath } from "./images.ts";
import { prepareRoot } from "./rootfs.ts";
import type { ProcessSandbox } from "./sandbox.ts";
import { executeLine } from "./security.ts";
import { initScript, shimScript, waitScript } from "./shell.ts";

/** Names of the FIFOs a container's output goes into. A terminal has one stream only. */
export function streamsOf(config: ContainerConfig): string[] {
	return config.tty ? ["out"] : ["out", "err"];
}

export function fifosOf(config: ContainerConfig): string[] {
	const streams = streamsOf(config);
	return [...streams, ...streams.map((name) => `${name}.bell`), "ack", "status", ...(config.stdin ? ["in"] : [])];
}

/** Writes the scripts and the table of mounts into the container's directory, and makes its root. */
export function writeContainerFiles(
	environment: Environment,
	sandbox: ProcessSandbox,
	record: ContainerRecord,
	command: readonly [string, ...string[]],
): void {
	const { container, endMark, cgroups, workingDir, ownPid } = record;
	const { config, id } = container;
	const { images, tools, rootless } = environment;
	const directory = `${environment.directory}/containers/${id}`;
	const { root, fstab } = prepareRoot({
		...environment,
		tools: [...tools, ...images.programs(config.image, new Map(record.env).keys())],
		scratch: `${environment.scratch}/${id}`,
		readOnly: config.security.readOnlyRootFilesystem,
		privileged: config.security.privileged,
		hostPid: sandbox.config.hostPid,
		hostname: sandbox.config.hostname,
		sharedMemory: sandbox.sharedMemory,
		groups: cgroups.length === 0 ? [] : environment.cgroups.view(record.cgroup),
		volumes: config.mounts,
		emptyDirectories: images.find(config.image)?.volumes ?? [],
	});
	const env = new Map(record.env);
	const execute = executeLine({ command, env, security: config.security, tty: config.tty, rootless });
	const path = env.get("PATH") ?? containerPath;
	const propagates = config.mounts.some((mount) => mount.propagation === "HostToContainer");
	const mounts = ["unshare", "--mount", ...(propagates ? ["--propagation=slave"] : []), "sh", `${directory}/init`];
	const enter = sandbox.enterArguments();
	const start = ownPid ? mounts : [...enter, ...mounts];
	// With a PID namespace of its own to come, the container is the first process started there; the shim itself stays outside.
	const prefix = ownPid ? [...enter, "unshare", "--pid"] : [];
	const streams = streamsOf(config);
	const files = {
		fstab,
		init: initScript({ directory, root, path, workingDir, command, execute }),
		shim: shimScript({ directory, streams, next: [...prefix, "sh", `${directory}/wait`] }),
		wait: waitScript({ streams, start, endMark, stdin: config.stdin, cgroups }),
	};
	for (const [name, text] of Object.entries(files)) writeFileSync(`${directory}/${name}`, text);
}
