import type { Clock } from "../../../core/time/clock.ts";
import type { MountEntry, RootView } from "../../../linux/rootview.ts";
import type { ImageService } from "../images/image-service.ts";
import type { Credentials } from "../launcher/credentials.ts";
import type { Cgroups } from "../machine/cgroups.ts";
import type { Trash } from "../machine/trash.ts";
import type { FifoStore } from "../output/fifos.ts";
import type { SeccompFilters } from "../seccomp/filters.ts";

/** Shared by all parts of one process runtime. */
export interface Environment {
	clock: Clock;
	/** State, FIFOs, exit codes: small, and kept across restarts. */
	directory: string;
	/** Writable layers: on a file system that supports them. */
	scratch: string;
	/** Directories that no container may see, at this time. */
	hidden(): readonly string[];
	/** Whether only one user exists. */
	rootless: boolean;
	view: RootView;
	mounts: readonly MountEntry[];
	images: ImageService;
	cgroups: Cgroups;
	/** Control groups that only privileged containers join: `confineDevices`. */
	privilegedGroups: readonly string[];
	trash: Trash;
	fifos: FifoStore;
	seccomp: SeccompFilters;
	/** What is empty in containers. */
	credentials: Credentials;
	/** An empty read-only directory that is mounted over others. */
	empty: string;
	/** The program that carries out plans: `findLauncher`. */
	launcher: string;
	/** The time limit for starting a sandbox or container, for example when a file system hangs. */
	startLimitMs: number;
	/** Files of the machine that are visible in every container. */
	tools: readonly { source: string; path: string }[];
	/** Reports that the state of the pod has changed on its own. */
	changed(podUid: string): void;
}
