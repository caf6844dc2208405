import type { Clock } from "../../core/time/clock.ts";
import type { ImageServiceOptions } from "./images/image-service.ts";

export interface ProcessRuntimeOptions {
	clock: Clock;
	/** For state that outlives the agent; absolute. */
	directory: string;
	/** For the writable layers of containers, inside the node: `NodeHolder.scratchDirectory`. */
	scratchDirectory: string;
	/** Directories that no container may see: those of the cluster. */
	hidden: readonly string[];
	/** Additional ones, determined at the start of each container. */
	hiddenNow?: () => readonly string[];
	/** `NodeHolder.cgroup`; undefined: limits are not enforced. */
	cgroup?: string;
	/** Control groups that only privileged containers join; default: none. */
	privilegedGroups?: readonly string[];
	/** The user's own image table, a YAML file; need not exist. */
	imageFile?: string;
	/** Whether containers see home directories, password hashes and keys of the machine. */
	showHome?: boolean;
	/** Directory of `Localhost` seccomp profiles; need not exist. Default: in `directory`. */
	seccompProfiles?: string;
	/** The program that carries out plans; default: this package's. */
	launcher?: string;
	/** The time limit for starting a sandbox or container; default: two minutes, upstream's timeout. */
	startLimitMs?: number;
	/** Images of registries; absent: only the machine's programs run. */
	images?: Partial<Pick<ImageServiceOptions, "store" | "pull" | "removeUnused" | "source" | "pullsAtOnce">>;
	/** Directory of the stand-ins for programs; default: this package's. */
	standIns?: string;
}
