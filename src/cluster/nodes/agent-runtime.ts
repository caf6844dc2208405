/** The runtime of an agent, as the cluster's settings say. */
import type { Clock } from "../../core/time/clock.ts";
import { ImageStore } from "../../images/store/store.ts";
import { readMounts } from "../../linux/rootview-files.ts";
import type { PullFunction } from "../../runtime/process/images/image-service.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { registeredData } from "../data/data-directories.ts";
import type { AgentConfig } from "./agent-protocol.ts";

export interface RuntimeParts {
	clock: Clock;
	/** Pulls an image into the store, in a process with the machine's network. */
	pull: PullFunction;
	removeUnused: () => Promise<void>;
	pullsAtOnce: number;
}

/** @throws Error that says what the machine lacks */
export async function openRuntime(config: AgentConfig, parts: RuntimeParts): Promise<Runtime> {
	const { clock, ...images } = parts;
	const store = ImageStore.open(config.images.store);
	// Each is loaded where it is used.
	if (config.runtime === "containerd") {
		const { createContainerdRuntime } = await import("../../runtime/cri/containerd/runtime.ts");
		return createContainerdRuntime({
			...images,
			clock,
			store,
			directory: `${config.directory}/containerd`,
			socket: config.criSocket,
			owner: config.node,
			cgroup: config.cgroup,
			seccompProfiles: config.seccompProfiles,
		});
	}
	const [{ confineDevices }, { createProcessRuntime }] = await Promise.all([
		import("../../runtime/process/machine/device-groups.ts"),
		import("../../runtime/process/runtime.ts"),
	]);
	const privilegedGroups = await confineDevices(readMounts(), config.cgroup);
	return createProcessRuntime({
		clock,
		directory: `${config.directory}/runtime`,
		scratchDirectory: config.scratchDirectory,
		hidden: config.hidden,
		hiddenNow: () => registeredData(config.registers),
		cgroup: config.cgroup,
		privilegedGroups,
		imageFile: config.imagesFile,
		images: { ...images, source: config.images.source, store },
		standIns: config.standIns,
		showHome: config.showHome,
		seccompProfiles: config.seccompProfiles,
	});
}
