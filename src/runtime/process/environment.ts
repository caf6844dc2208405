import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { planRootView } from "../../linux/rootview.ts";
import { listDirectory, readMounts } from "../../linux/rootview-files.ts";
import type { Environment } from "./container/environment.ts";
import { ImageService } from "./images/image-service.ts";
import { createImageTable, standInDirectory } from "./images/images.ts";
import { findCredentials, noCredentials } from "./launcher/credentials.ts";
import { findLauncher } from "./launcher/program.ts";
import { assetsDirectory } from "./machine/assets.ts";
import { openCgroups } from "./machine/cgroups.ts";
import { Trash } from "./machine/trash.ts";
import type { ProcessRuntimeOptions } from "./options.ts";
import { FifoStore } from "./output/fifos.ts";
import { createSeccompFilters } from "./seccomp/filters.ts";

const defaultStartLimitMs = 120_000;

/** Reads what this machine offers, and creates the directories that the runtime needs. */
export function openEnvironment(options: ProcessRuntimeOptions, changed: Environment["changed"]): Environment {
	const { clock, directory, scratchDirectory } = options;
	for (const folder of ["containers", "sandboxes"]) mkdirSync(`${directory}/${folder}`, { recursive: true });
	const rootless = !/^\s*0\s+0\s+4294967295/.test(readFileSync("/proc/self/uid_map", "utf8"));
	const mounts = readMounts();
	const standIns = options.standIns ?? assetsDirectory("stand-ins");
	return {
		clock,
		directory,
		scratch: `${scratchDirectory}/containers`,
		hidden: () => [...new Set([...options.hidden, ...(options.hiddenNow?.() ?? [])])],
		rootless,
		launcher: options.launcher ?? findLauncher(directory),
		startLimitMs: options.startLimitMs ?? defaultStartLimitMs,
		view: planRootView({ mounts, list: listDirectory, hidden: options.hidden, assembled: rootless }),
		mounts,
		images: imageService(options, standIns),
		cgroups: openCgroups(mounts, options.cgroup),
		privilegedGroups: options.privilegedGroups ?? [],
		trash: new Trash([directory, scratchDirectory]),
		fifos: new FifoStore(`${directory}/fifos`),
		seccomp: createSeccompFilters(options.seccompProfiles ?? `${directory}/seccomp`),
		credentials: options.showHome === true ? noCredentials : findCredentials(),
		empty: emptyDirectory(`${directory}/empty`),
		tools: [
			{ source: standIns, path: dirname(standInDirectory) },
			{ source: process.execPath, path: `${dirname(dirname(standInDirectory))}/node` },
		],
		changed,
	};
}

function imageService({ clock, imageFile, images }: ProcessRuntimeOptions, assets: string): ImageService {
	const table = createImageTable({ assets, ...(imageFile === undefined ? {} : { userFile: imageFile }) });
	return new ImageService({ table, clock, source: "auto", pullsAtOnce: 1, ...images });
}

function emptyDirectory(path: string): string {
	mkdirSync(path, { recursive: true });
	chmodSync(path, 0o755);
	return path;
}
