/** The second protection of devices, on machines with control groups of version 1. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { readMounts } from "../../../linux/rootview-files.ts";
import { confineDevices } from "./device-groups.ts";

const hierarchy = readMounts().find(({ type, path }) => type === "cgroup" && path.endsWith("/devices"))?.path;
const isRoot = process.getuid?.() === 0;
const why = hierarchy === undefined || !isRoot ? " (skipped: needs root and control groups of version 1)" : "";

it("confines nothing where there is no such controller, or no right to make groups", async () => {
	expect(await confineDevices([], "node")).toEqual([]);
	expect(await confineDevices([{ type: "cgroup", path: "/proc/devices", options: [] }], "node")).toEqual([]);
});

it.skipIf(why !== "")(`lets usual devices be opened, and others by who joins the groups that it gives${why}`, () => {
	const directory = mkdtempSync(`${tmpdir()}/cox-devices-`);
	const group = `cox-devices-test-${process.pid}`;
	// In a process of its own, because a process cannot undo its confinement.
	const module = fileURLToPath(new URL("device-groups.ts", import.meta.url));
	const script = `
		import { execFileSync } from "node:child_process";
		const { confineDevices } = await import(${JSON.stringify(module)});
		const confine = () => confineDevices([{ type: "cgroup", path: ${JSON.stringify(hierarchy)}, options: [] }], "${group}");
		const look = 'for name in null log; do true <$name && echo $name; done; true';
		const run = (text) => process.stdout.write(execFileSync("sh", ["-c", "exec 2>/dev/null; " + text], { encoding: "utf8" }));
		run("mknod null c 1 3; mknod log c 1 11; " + look);
		await confine();
		const [wide] = await confine();
		run("echo confined; " + look);
		run("echo 0 >" + wide + "/cgroup.procs; echo out; " + look);`;
	try {
		const args = ["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval", script];
		const output = execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8" });
		const [before = "", confined, out] = output.split(/confined\n|out\n/);
		expect(before).toContain("null\n");
		expect([confined, out]).toEqual(["null\n", before]);
	} finally {
		for (const name of [`${group}/usual-devices`, group]) rmdirSync(`${hierarchy}/${name}`);
		rmSync(directory, { recursive: true });
	}
});
