/** A pod's files on a real node: volumes, /etc/hosts, /etc/resolv.conf, termination messages and logs. */
import { chmod, mkdir, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container as ContainerSpec, Pod } from "../../kinds/generated/types.ts";
import type { Container, Mount } from "../../runtime/runtime.ts";
import type { KubeletConfiguration } from "../kubelet-configuration.ts";
import { readLogFile } from "../logs/log-file.ts";
import { keepLogsShort } from "../logs/log-rotation.ts";
import { ConfigError, type MountContext, type NodeContext, type PodFiles, VolumeError } from "../node-context.ts";
import { volumeMounts } from "./container-mounts.ts";
import { hostNetworkHostsFile, hostsFile, resolverFile } from "./etc-files.ts";
import {
	containerDirectory,
	containerLogLink,
	containerLogPath,
	type Directories,
	podDirectory,
	podLogDirectory,
} from "./layout.ts";
import { PodVolumes } from "./pod-volumes.ts";
import { volumeText } from "./volume-text.ts";

/** Upstream's limits of a termination message: of a file, and of a log's end (lines and bytes). */
const longestMessage = 4096;
const fallbackLines = 80;
const fallbackBytes = 2048;

const defaultMessagePath = "/dev/termination-log";

/** @param resolvConf contents of the node's own resolv.conf; default: read from the node's /etc */
export function createFiles(
	context: NodeContext,
	options: Directories & { resolvConf?: string },
	configuration: KubeletConfiguration,
): { files: PodFiles; maintenance: { stop(): void } } {
	const { client, clock, node, references } = context;
	const volumes = new PodVolumes({ client, clock, node, references, directories: options });
	const rotation = keepLogsShort(context, configuration);
	const files = new NodeFiles(context, options, volumes);
	return {
		files,
		maintenance: {
			stop() {
				rotation.stop();
				volumes.close();
			},
		},
	};
}

class NodeFiles implements PodFiles {
	readonly #context: NodeContext;
	readonly #directories: Directories & { resolvConf?: string };
	readonly #volumes: PodVolumes;

	constructor(context: NodeContext, directories: Directories & { resolvConf?: string }, volumes: PodVolumes) {
		this.#context = context;
		this.#directories = directories;
		this.#volumes = volumes;
	}

	async prepare(pod: Pod): Promise<void> {
		await mkdir(podDirectory(this.#directories, pod.metadata.uid), { recursive: true, mode: 0o755 });
		await this.#volumes.prepare(pod);
	}

	async text(pod: Pod, volume: string, path: string): Promise<string | undefined> {
		try {
			return await volumeText(this.#volumes, pod, volume, path);
		} catch (error) {
			if (error instanceof VolumeError) throw new ConfigError(error.message);
			throw error;
		}
	}

	async mounts(pod: Pod, container: ContainerSpec, start: MountContext): Promise<Mount[]> {
		try {
			const mounts = await volumeMounts(this.#volumes, pod, container, start.env);
			const taken = new Set(mounts.map(({ containerPath }) => containerPath));
			const own = [
				await this.#hosts(pod, start.addresses),
				await this.#resolver(pod),
				await this.#terminationFile(pod, container, start.attempt),
			];
			await mkdir(dirname(this.logPath(pod, container.name, start.attempt)), { recursive: true, mode: 0o755 });
			return [...mounts, ...own.filter(({ containerPath }) => !taken.has(containerPath))];
		} catch (error) {
			if (error instanceof VolumeError) throw new ConfigError(error.message);
			throw error;
		}
	}

	async terminationMessage(pod: Pod, container: Container): Promise<string> {
		const { annotations, name, attempt } = container.config;
		const path = join(containerDirectory(this.#directories, pod.metadata.uid, name), String(attempt));
		const message = await readStart(path, longestMessage);
		const falls = annotations["io.kubernetes.container.terminationMessagePolicy"] === "FallbackToLogsOnError";
		if (message !== "" || !falls || container.exitCode === 0) return message;
		const options = { tailLines: fallbackLines, timestamps: false, follow: false };
		const ended = { running: () => false, onChange: () => () => {} };
		const parts: Buffer[] = [];
		for await (const part of readLogFile(container.config.logPath, options, ended, new AbortController().signal)) {
			parts.push(part);
		}
		return Buffer.concat(parts).subarray(-fallbackBytes).toString();
	}

	logPath(pod: Pod, container: string, attempt: number): string {
		return containerLogPath(this.#directories, pod, container, attempt);
	}

	async linkLog(pod: Pod, { id, config }: Container): Promise<void> {
		const path = containerLogLink(this.#directories, pod, config.name, id);
		await mkdir(dirname(path), { recursive: true });
		await symlink(config.logPath, path).catch(() => {});
	}

	async release(podUid: string): Promise<void> {
		await this.#volumes.remove(podUid);
	}

	async remove(pod: Pod): Promise<void> {
		const { uid, name, namespace } = pod.metadata;
		await this.#volumes.remove(uid);
		await rm(podDirectory(this.#directories, uid), { recursive: true, force: true });
		await rm(podLogDirectory(this.#directories, pod), { recursive: true, force: true });
		const links = join(this.#directories.logs, "containers");
		for (const link of await readdir(links).catch(() => [])) {
			if (link.startsWith(`${name}_${namespace}_`)) await rm(join(links, link), { force: true });
		}
	}

	refresh(pod: Pod): Promise<void> {
		return this.#volumes.refresh(pod);
	}

	async #hosts(pod: Pod, addresses: readonly string[]): Promise<Mount> {
		const { view } = this.#directories;
		const hostPath = join(podDirectory(this.#directories, pod.metadata.uid), "etc-hosts");
		const text =
			pod.spec.hostNetwork === true
				? hostNetworkHostsFile(pod, await readFile(`${view}/etc/hosts`, "utf8").catch(() => ""))
				: hostsFile(pod, addresses, this.#context.node.clusterDomain);
		// Containers that run already see the same file: it is written in place.
		await writeFile(hostPath, text, { mode: 0o644 });
		return mounted(hostPath, "/etc/hosts");
	}

	async #resolver(pod: Pod): Promise<Mount> {
		const { view, resolvConf } = this.#directories;
		const { clusterDns, clusterDomain } = this.#context.node;
		const hostPath = join(podDirectory(this.#directories, pod.metadata.uid), "resolv.conf");
		const own = resolvConf ?? (await readFile(`${view}/etc/resolv.conf`, "utf8").catch(() => ""));
		await writeFile(hostPath, resolverFile(pod, own, clusterDns, clusterDomain), { mode: 0o644 });
		return mounted(hostPath, "/etc/resolv.conf");
	}

	async #terminationFile(pod: Pod, container: ContainerSpec, attempt: number): Promise<Mount> {
		const directory = containerDirectory(this.#directories, pod.metadata.uid, container.name);
		await mkdir(directory, { recursive: true });
		const hostPath = join(directory, String(attempt));
		await writeFile(hostPath, "", { mode: 0o666 });
		// The process's umask takes bits away, and any user of the container may write it.
		await chmod(hostPath, 0o666);
		return mounted(hostPath, container.terminationMessagePath ?? defaultMessagePath);
	}
}

function mounted(hostPath: string, containerPath: string): Mount {
	return { hostPath, containerPath, readOnly: false, propagation: "None" };
}

async function readStart(path: string, longest: number): Promise<string> {
	const file = await open(path, "r").catch(() => undefined);
	if (file === undefined) return "";
	try {
		const { bytesRead, buffer } = await file.read(Buffer.alloc(longest), 0, longest, 0);
		return buffer.toString("utf8", 0, bytesRead);
	} finally {
		await file.close();
	}
}
