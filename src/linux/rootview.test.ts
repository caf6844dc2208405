import { describe, expect, it } from "vitest";
import {
	canHoldUpper,
	type DirectoryEntry,
	fstabLine,
	layerName,
	overlayOf,
	parseMountinfo,
	planRootView,
	showsThrough,
	viewFstab,
} from "./rootview.ts";

const mountinfo = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
28 27 254:1 / /home rw,nosuid shared:1 - ext4 /dev/vdb rw
29 27 0:27 / /mnt/with\\040space/deep ro - tmpfs tmpfs ro
30 27 0:28 / /tmp rw - tmpfs tmpfs rw
31 27 254:0 /f /etc/hosts rw - ext4 /dev/vda rw
`;
const tree: Record<string, DirectoryEntry[]> = {
	"/": [
		...["etc", "home", "mnt", "proc", "tmp", "usr"].map(
			(name): DirectoryEntry => ({ name, type: "directory", readable: true }),
		),
		{ name: "root", type: "directory", readable: false },
		{ name: "bin", type: "symlink", target: "usr/bin" },
		{ name: ".dockerenv", type: "other" },
	],
	"/home": [{ name: "anna", type: "directory", readable: true }],
	"/mnt": [
		{ name: "with space", type: "directory", readable: true },
		{ name: "disk", type: "directory", readable: true },
	],
	"/mnt/with space": [{ name: "deep", type: "directory", readable: true }],
	"/etc": [{ name: "hosts", type: "other" }],
};
const list = (directory: string) => tree[directory] ?? [];
const mounts = parseMountinfo(mountinfo);

describe("view of the machine's root", () => {
	it("is one overlay of / and one of each real file system below it, with full rights", () => {
		const view = planRootView({ mounts, list, hidden: [], assembled: false });
		expect(view).toMatchObject({ overlays: ["/", "/home"], binds: [], directories: [] });
		expect(overlayOf(view, "/home/anna")).toBe("/home");
		expect(overlayOf(view, "/homes")).toBe("/");
	});

	it("is put together from subtrees without mounts in a user namespace", () => {
		const view = planRootView({ mounts, list, hidden: [], assembled: true });
		expect(view.overlays).toEqual(["/home", "/mnt/with space/deep", "/mnt/disk", "/usr"]);
		expect(view.directories).toEqual([
			"/etc",
			"/home",
			"/mnt",
			"/mnt/with space",
			"/mnt/with space/deep",
			"/mnt/disk",
			"/usr",
			"/root",
		]);
		expect(view.symlinks).toEqual([{ path: "/bin", target: "usr/bin" }]);
		expect(view.binds).toEqual([
			{ path: "/etc/hosts", directory: false, options: "rbind,ro" },
			{ path: "/.dockerenv", directory: false, options: "rbind,ro,relatime" },
		]);
		expect(overlayOf(view, "/root/x")).toBeUndefined();
	});

	it("knows what shows through it", () => {
		const view = planRootView({ mounts, list, hidden: ["/home/anna/.cox"], assembled: false });
		expect(showsThrough(view, mounts, "/home/anna/.cox")).toBe(true);
		expect(showsThrough(view, mounts, "/tmp/cox")).toBe(false);
	});

	it("puts layers only where the kernel takes them", () => {
		expect(canHoldUpper(mounts, "/home/anna")).toBe(true);
		expect(canHoldUpper(mounts, "/tmp/x")).toBe(true);
		expect(canHoldUpper(parseMountinfo("1 0 0:1 / / rw - overlay overlay rw"), "/x")).toBe(false);
	});

	it("writes fstab lines that are read back as they were", () => {
		expect(fstabLine("/a b", "/c\\d", "none", "rbind")).toBe("/a\\040b /c\\134d none rbind 0 0\n");
		const view = planRootView({ mounts, list, hidden: [], assembled: false });
		expect(viewFstab(view, { target: "/t", scratch: "/s:1" }).split("\n")[1]).toBe(
			"overlay /t/home overlay lowerdir=/home,upperdir=/s\\134:1/upper/home,workdir=/s\\134:1/work/home 0 0",
		);
		expect(new Set(["/", "/a/b", "/a%2Fb", "/%"].map(layerName)).size).toBe(4);
	});
});
