/** A runtime with a containerd of its own, which is started in the node's namespaces. */
import { writeFileSync } from "node:fs";
import { logError } from "../../../linux/process-log.ts";
import type { Runtime } from "../../runtime.ts";
import { createCriRuntime } from "../runtime.ts";
import { CriClient } from "../wire/client.ts";
import { Daemon, type DaemonOptions } from "./daemon.ts";
import { registryHosts } from "./files.ts";
import { startMirror } from "./mirror.ts";
import { makePauseImage } from "./pause-image.ts";
import { type StoreImagesOptions, storeImages } from "./store-images.ts";

export interface ContainerdRuntimeOptions extends DaemonOptions, Omit<StoreImagesOptions, "client"> {
	/** Value of the label of all sandboxes and containers. */
	owner: string;
	/** Name of the node's control group below each hierarchy's root; undefined: limits of pods are not enforced. */
	cgroup?: string;
	seccompProfiles: string;
}

/** @throws Error with containerd's own words if it does not start */
export async function createContainerdRuntime(options: ContainerdRuntimeOptions): Promise<Runtime> {
	const { clock, store, owner, cgroup, seccompProfiles } = options;
	const daemon = new Daemon(options);
	await daemon.ensure();
	const mirror = await startMirror(store, makePauseImage(process.arch));
	// Read at each pull: a mirror has another port after each start.
	const hosts = `${daemon.paths.registries}/_default/hosts.toml`;
	writeFileSync(hosts, registryHosts(mirror.url, mirror.token), { mode: 0o600 });
	const client = new CriClient(daemon.paths.socket, clock);
	return createCriRuntime({
		client,
		clock,
		directory: options.directory,
		owner,
		cgroup,
		seccompProfiles,
		images: storeImages({ ...options, client }),
		lost: () => daemon.ensure().catch((error: unknown) => logError("containerd", error)),
		limitations: [],
		closed: () => mirror.close(),
	});
}
