/** The steps that mount a view of the machine's files as a container's root (see linux/rootview.ts). */

import { layerName, type RootView } from "../../../linux/rootview.ts";
import { writableDirectories } from "../../../linux/rootview-files.ts";
import { escaped } from "./overlay-options.ts";
import { directorySteps, type ViewPlace } from "./places.ts";
import { mountAttributes, type Step } from "./plan.ts";

const { noDevices, readOnly } = mountAttributes;
/** MS_NODEV of mount(2). */
const withoutDevices = 4;

/** Directories over which every view mounts something of its own. */
const special = ["/proc", "/sys", "/dev", "/run", "/tmp"];

/** Directories and links, before anything is mounted. */
export function layerSteps(place: ViewPlace): Step[] {
	const { view, target, scratch } = place;
	const directory = (path: string): Step => ["directory", path, 0o755, 0, 0];
	const steps = [directory(target)];
	for (const overlay of view.overlays) {
		const name = layerName(overlay);
		steps.push(directory(`${scratch}/upper/${name}`), directory(`${scratch}/work/${name}`));
	}
	if (!view.assembled) return steps;
	for (const path of [...view.directories, ...special]) steps.push(directory(target + path));
	for (const link of view.symlinks) steps.push(["link", link.target, target + link.path]);
	for (const path of writableDirectories) steps.push(...directorySteps(place, path));
	return steps;
}

/** Mounts the view as the root for later steps. */
export function viewSteps(
	{ view, target, scratch }: ViewPlace,
	{ devices, ownUsers }: { devices: boolean; ownUsers: boolean },
): Step[] {
	const steps: Step[] = [];
	if (view.assembled) steps.push(["bind", "", target, "", target, 0, 0, ""], ["root", target]);
	for (const path of view.overlays) {
		const name = layerName(path);
		const lower = ownUsers ? `${scratch}/lower/${name}` : path;
		if (ownUsers) steps.push(["shift", path, lower]);
		const layers = [lower, `${scratch}/upper/${name}`, `${scratch}/work/${name}`].map(escaped);
		const options = `lowerdir=${layers[0]},upperdir=${layers[1]},workdir=${layers[2]}${view.assembled ? ",userxattr" : ""}`;
		const isRoot = path === "/" && !view.assembled;
		steps.push(["overlay", isRoot ? target : path, devices ? 0 : withoutDevices, options]);
		if (isRoot) steps.push(["root", target]);
	}
	for (const { path } of view.binds)
		steps.push(["bind", "", path, "", path, readOnly | (devices ? 0 : noDevices), 0, "o"]);
	return steps;
}

/** Makes the root read-only, once everything in it is created. */
export function readOnlySteps(view: RootView): Step[] {
	return [...new Set(["/", ...view.overlays])].map((path) => ["attributes", path, readOnly]);
}
