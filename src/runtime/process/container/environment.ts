import type { Clock } from "../../../core/clock.ts";
import type { MountEntry, RootView } from "../../../linux/rootview.ts";
import type { ImageTable } from "../images/images.ts";
import type { Credentials } from "../launcher/credentials.ts";
import type { Cgroups } from "../machine/cgroups.ts";
import type { Trash } from "../machine/trash.ts";
import type { FifoStore } from "../output/fifos.ts";
import type { SeccompFilters } from "../seccomp/filters.ts";

/** What all parts of one process runtime work with. */
export interface Environment {
	clock: Clock;
	/** State, FIFOs, exit codes: small, and kept over restarts. */
	directory: string;
	/** Writable layers: on a file system that can hold them. */
	scratch: string;
	/** Directories that no container may see, as of now. */
	hidden(): readonly string[];
	/** Only one user exists. */
	rootless: boolean;
	view: RootView;
	mounts: readonly MountEntry[];
	images: ImageTable;
	cgroups: Cgroups;
	/** Control groups that only privileged containers join: `confineDevices`. */
	privilegedGroups: readonly string[];
	trash: Trash;
	fifos: FifoStore;
	seccomp: SeccompFilters;
	/** What containers find empty. */
	credentials: Credentials;
	/** An empty read-only directory that hides others. */
	empty: string;
	/** The program that carries out plans: `findLauncher`. */
	launcher: string;
	/** How long a sandbox or container may take to start, file systems that hang included. */
	startLimitMs: number;
	/** Of the machine, shown in every container. */
	tools: readonly { source: string; path: string }[];
	/** Says that something of the pod changed on its own. */
	changed(podUid: string): void;
}
