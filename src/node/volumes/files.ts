/** A pod's files on a real node: volumes, /etc/hosts, /etc/resolv.conf, termination messages and logs. */
import { readdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container as ContainerSpec, Pod } from "../../kinds/generated/types.ts";
import { isCode } from "../../linux/descriptors.ts";
import { holdDirectory, inParent, readRegular, removeTree, writeRegular } from "../../linux/no-links.ts";
import type { Container, Mount } from "../../runtime/runtime.ts";
import type { KubeletConfiguration } from "../context/kubelet-configuration.ts";
import {
	ConfigError,
	type MountContext,
	type NodeContext,
	type PodFiles,
	VolumeError,
} from "../context/node-context.ts";
import { readLogFile } from "../logs/log-file.ts";
import { keepLogsShort } from "../logs/log-rotation.ts";
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
import { viewPath } from "./view-path.ts";
import { volumeText } from "./volume-text.ts";

/** Upstream's limits for a termination message: from a file, and from the end of a log (lines and bytes). */
const longestMessage = 4096;
const fallbackLines = 80;
const fallbackBytes = 2048;

/** Limit for /etc/hosts and /etc/resolv.conf. */
const longestOwnFile = 1024 * 1024;

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
		holdDirectory(podDirectory(this.#directories, pod.metadata.uid), 0o755).close();
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
			const mounts = await volumeMounts(this.#volumes, pod, container, start);
			const taken = new Set(mounts.map(({ containerPath }) => containerPath));
			const own = [
				await this.#hosts(pod, start.addresses),
				await this.#resolver(pod),
				await this.#terminationFile(pod, container, start.attempt),
			];
			holdDirectory(dirname(this.logPath(pod, container.name, start.attempt)), 0o755).close();
			return [...mounts, ...own.filter(({ containerPath }) => !taken.has(containerPath))];
		} catch (error) {
			if (error instanceof VolumeError) throw new ConfigError(error.message);
			throw error;
		}
	}

	async terminationMessage(pod: Pod, container: Container): Promise<string> {
		const { annotations, name, attempt } = container.config;
		const path = join(containerDirectory(this.#directories, pod.metadata.uid, name), String(attempt));
		// A pod with access to the node's files may have replaced it with something else, which is not a message.
		const message = (await readRegular(path, longestMessage).catch(() => Buffer.alloc(0))).toString();
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
		// The path for programs that have the node's /var/log mounted.
		const target = config.logPath.replace(this.#directories.logs, "/var/log");
		await inParent(path, (parent, name) => symlink(target, parent.at(name)), 0o755).catch(() => {});
	}

	async release(podUid: string): Promise<void> {
		await this.#volumes.remove(podUid);
	}

	async remove(pod: Pod): Promise<void> {
		const { uid, name, namespace } = pod.metadata;
		await this.#volumes.remove(uid);
		await removeTree(podDirectory(this.#directories, uid));
		const links = containerLogLink(this.#directories, pod, "", "");
		await Promise.all([
			removeTree(podLogDirectory(this.#directories, pod)),
			inParent(links, async (parent) => {
				for (const link of await readdir(parent.path))
					if (link.startsWith(`${name}_${namespace}_`)) await parent.remove(link);
			}),
		]).catch((error: unknown) => {
			// If a pod has replaced the log directory, the logs are lost for the node.
			if (!isCode(error, "ENOENT", "ENOTDIR")) throw error;
		});
	}

	refresh(pod: Pod): Promise<void> {
		return this.#volumes.refresh(pod);
	}

	async #hosts(pod: Pod, addresses: readonly string[]): Promise<Mount> {
		const hostPath = join(podDirectory(this.#directories, pod.metadata.uid), "etc-hosts");
		const text =
			pod.spec.hostNetwork === true
				? hostNetworkHostsFile(pod, await this.#ownFile("/etc/hosts"))
				: hostsFile(pod, addresses, this.#context.node.clusterDomain);
		// Written in place: running containers see the same file.
		await writeRegular(hostPath, text, 0o644);
		return mounted(hostPath, "/etc/hosts");
	}

	async #resolver(pod: Pod): Promise<Mount> {
		const { resolvConf } = this.#directories;
		const { clusterDns, clusterDomain } = this.#context.node;
		const hostPath = join(podDirectory(this.#directories, pod.metadata.uid), "resolv.conf");
		const own = resolvConf ?? (await this.#ownFile("/etc/resolv.conf"));
		await writeRegular(hostPath, resolverFile(pod, own, clusterDns, clusterDomain), 0o644);
		return mounted(hostPath, "/etc/resolv.conf");
	}

	/** Reads one of the node's own files, with links resolved in the node's view; empty if there is none. */
	async #ownFile(path: string): Promise<string> {
		const real = await viewPath(this.#directories.view, path).catch(() => path);
		return (await readRegular(real, longestOwnFile).catch(() => Buffer.alloc(0))).toString();
	}

	async #terminationFile(pod: Pod, container: ContainerSpec, attempt: number): Promise<Mount> {
		const directory = containerDirectory(this.#directories, pod.metadata.uid, container.name);
		const hostPath = join(directory, String(attempt));
		// Any user of the container may write it.
		await inParent(hostPath, (parent, name) => parent.write(name, "", 0o666), 0o755);
		return mounted(hostPath, container.terminationMessagePath ?? defaultMessagePath);
	}
}

function mounted(hostPath: string, containerPath: string): Mount {
	return { hostPath, containerPath, readOnly: false, propagation: "None" };
}
