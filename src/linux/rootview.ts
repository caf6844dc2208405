/**
 * Plans a copy-on-write view of the machine's file system. Pure: the input are the machine's mounts, the output is a
 * list of mounts. The file system of a node and the root of a container are such views.
 *
 * With full privileges, one overlay covers `/`, and another one each real file system mounted below it. In a user
 * namespace the kernel rejects an overlay over a directory with mounts below it, so the view is assembled from the
 * largest subtrees without any: an overlay for each, with plain directories and symbolic links around them.
 */

export interface DirectoryEntry {
	name: string;
	type: "directory" | "symlink" | "other";
	/** Target of a symbolic link. */
	target?: string;
	/** Whether a directory is readable. A directory that is not is shown as an empty one. */
	readable?: boolean;
}

export interface RootView {
	/** Whether the parts are mounted in a directory of the view instead of on an overlay of `/`. */
	assembled: boolean;
	/** Directories with an overlay of their own, parents before children. */
	overlays: readonly string[];
	/** Directories and files that are bound read-only, with the mount options. */
	binds: readonly { path: string; directory: boolean; options: string }[];
	/** Directories to create in the view's own directory, parents first. */
	directories: readonly string[];
	symlinks: readonly { path: string; target: string }[];
}

export interface MountEntry {
	/** Mount point. */
	path: string;
	type: string;
	options: readonly string[];
}

/** Directories that every view replaces. */
const replaced = ["/proc", "/sys", "/dev", "/run", "/tmp", "/lost+found"];
const realTypes = new Set([
	"ext2",
	"ext3",
	"ext4",
	"xfs",
	"btrfs",
	"f2fs",
	"zfs",
	"overlay",
	"bcachefs",
	"virtiofs",
	"9p",
]);
/** The depth up to which directories with mounts below them are divided before they are bound as a whole. */
const deepest = 4;

/** The mounts in /proc/self/mountinfo, in order; if a path has several mounts, the last, which is visible. */
export function parseMountinfo(text: string): MountEntry[] {
	const mounts = new Map<string, MountEntry>();
	for (const line of text.split("\n")) {
		const [left, right] = line.split(" - ");
		const fields = left?.split(" ") ?? [];
		const path = fields[4];
		const type = right?.split(" ")[0];
		if (path === undefined || type === undefined) continue;
		const decoded = path.replace(/\\(\d{3})/g, (_match, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
		mounts.set(decoded, { path: decoded, type, options: fields[5]?.split(",") ?? [] });
	}
	return [...mounts.values()];
}

/** The mount that contains a path. */
function mountOf(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
	let best: MountEntry | undefined;
	for (const mount of mounts) {
		if (isWithin(path, mount.path) && (best === undefined || mount.path.length >= best.path.length)) best = mount;
	}
	return best;
}

/** Whether the upper directory of an overlay may be at a path. */
export function canHoldUpper(mounts: readonly MountEntry[], path: string): boolean {
	const type = mountOf(mounts, path)?.type ?? "";
	return type === "tmpfs" || (realTypes.has(type) && type !== "overlay" && type !== "9p" && type !== "virtiofs");
}

export function isWithin(path: string, directory: string): boolean {
	return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/**
 * @param list returns the entries of a directory of the machine; empty if it cannot be read
 * @param hidden directories that are hidden, because they contain the views
 */
export function planRootView(input: {
	mounts: readonly MountEntry[];
	list: (directory: string) => readonly DirectoryEntry[];
	hidden: readonly string[];
	assembled: boolean;
}): RootView {
	const shows = (path: string) => ![...replaced, ...input.hidden].some((directory) => isWithin(path, directory));
	const points = input.mounts.filter((mount) => mount.path !== "/" && shows(mount.path));
	const view = {
		assembled: input.assembled,
		overlays: [] as string[],
		binds: [] as { path: string; directory: boolean; options: string }[],
		directories: [] as string[],
		symlinks: [] as { path: string; target: string }[],
	};
	if (!input.assembled) {
		const real = points.filter((mount) => realTypes.has(mount.type)).map((mount) => mount.path);
		// Files that are bound over files (a container's /etc/hosts) need no mount: the original file in `/` is visible
		// instead.
		const isDirectory = (path: string) => input.list(path).length > 0;
		view.overlays = ["/", ...real.filter(isDirectory).sort()];
		return view;
	}
	const walk = (directory: string, depth: number) => {
		for (const entry of input.list(directory)) {
			const path = directory === "/" ? `/${entry.name}` : `${directory}/${entry.name}`;
			if (replaced.includes(path)) continue;
			if (entry.type === "symlink") view.symlinks.push({ path, target: entry.target ?? "" });
			else if (entry.type === "other")
				view.binds.push({ path, directory: false, options: readOnlyBind(input.mounts, path) });
			else if (input.hidden.includes(path)) view.directories.push(path);
			else {
				view.directories.push(path);
				if (entry.readable === false) continue;
				// The code that mounts the view covers hidden directories below an overlay.
				if (!points.some((mount) => mount.path !== path && isWithin(mount.path, path))) view.overlays.push(path);
				else if (depth < deepest) walk(path, depth + 1);
				else view.binds.push({ path, directory: true, options: readOnlyBind(input.mounts, path) });
			}
		}
	};
	walk("/", 1);
	return view;
}

/** The overlay that contains a path of the view; undefined in an assembled view outside of all overlays. */
export function overlayOf(view: RootView, path: string): string | undefined {
	let best: string | undefined;
	for (const overlay of view.overlays) {
		if (isWithin(path, overlay) && (best === undefined || overlay.length > best.length)) best = overlay;
	}
	return best;
}

/** Name of an overlay's directories below `upper` and `work`. */
export function layerName(overlay: string): string {
	return overlay === "/" ? "%" : overlay.slice(1).replaceAll("%", "%25").replaceAll("/", "%2F");
}

/** Whether a directory of the machine is visible in the view through one of its overlays. */
export function showsThrough(view: RootView, mounts: readonly MountEntry[], directory: string): boolean {
	const overlay = overlayOf(view, directory);
	const mount = mountOf(mounts, directory);
	// An overlay does not include mounts below its lower directory.
	return overlay !== undefined && mount !== undefined && isWithin(overlay, mount.path);
}

/**
 * Options of a read-only bind mount. It is mounted in two steps, and in a user namespace the second one must repeat the
 * options that the machine has locked.
 */
function readOnlyBind(mounts: readonly MountEntry[], source: string): string {
	const locked = ["nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"];
	const kept = mountOf(mounts, source)?.options.filter((option) => locked.includes(option)) ?? [];
	return ["rbind", "ro", ...kept].join(",");
}

/** One line of an fstab file, with special characters escaped. */
export function fstabLine(source: string, target: string, type: string, options: string): string {
	const encode = (text: string) =>
		text.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
	return `${[source, target, type, options].map(encode).join(" ")} 0 0\n`;
}

/**
 * The fstab lines that mount a view at `target`. Prerequisites: in `scratch`, the directories `upper/NAME` and
 * `work/NAME` for each overlay (`layerName`); in `target`, for an assembled view, its directories, links, and empty
 * files for the binds.
 */
export function viewFstab(view: RootView, options: { target: string; scratch: string; readOnly?: boolean }): string {
	const { target, scratch } = options;
	const at = (path: string) => (path === "/" ? target : `${target}${path}`);
	let lines = view.assembled ? fstabLine(target, target, "none", "bind") : "";
	for (const path of view.overlays) {
		const name = layerName(path);
		const layers = `lowerdir=${layer(path)},upperdir=${layer(`${scratch}/upper/${name}`)},workdir=${layer(`${scratch}/work/${name}`)}`;
		lines += fstabLine(
			"overlay",
			at(path),
			"overlay",
			`${layers}${view.assembled ? ",userxattr" : ""}${options.readOnly ? ",ro" : ""}`,
		);
	}
	for (const bind of view.binds) lines += fstabLine(bind.path, at(bind.path), "none", bind.options);
	return lines;
}

/** Escapes a path for overlayfs options. */
function layer(path: string): string {
	return path.replace(/[\\,:]/g, (character) => `\\${character}`);
}
