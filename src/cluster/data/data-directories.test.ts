/** The register of data directories: what containers hide, and what is refused because they could not. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, it } from "vitest";
import { enterData, forgetData, registerData, registeredData } from "./data-directories.ts";
import { checkReachable, deleteData } from "./data-entries.ts";

let place: string;
let register: string;
beforeEach(() => {
	place = mkdtempSync(`${tmpdir()}/cox-register-`);
	register = `${place}/clusters`;
});
afterEach(() => rmSync(place, { recursive: true }));

/** The registration by a cluster's start. */
const enter = (data: string, running: readonly string[] = []) => registerData(data, { register, running });

it("keeps directories until they are reset, in a folder of the user's own", () => {
	for (const data of ["/srv/one", "/opt/two", "/srv/one"]) enter(data);
	expect(registeredData([register]).sort()).toEqual(["/opt/two", "/srv/one", register].sort());
	expect(statSync(register).mode & 0o777).toBe(0o700);
	forgetData("/srv/one", register);
	forgetData("/srv/never", register);
	expect(registeredData([register, `${place}/none`]).sort()).toEqual(["/opt/two", register].sort());
});

it("hides those that there are, however many are gone, and refuses more than can be hidden", () => {
	for (let index = 0; index < 300; index++) enter(`/srv/gone/${index}`);
	mkdirSync(`${place}/there`);
	for (let index = 0; index < 250; index++) symlinkSync(`${place}/there`, `${register}/${index}`);
	expect(registeredData([register]).filter((path) => path === `${place}/there`)).toHaveLength(250);
	for (let index = 250; index < 256; index++) symlinkSync(`${place}/there`, `${register}/${index}`);
	expect(() => enter("/srv/more")).toThrow("256 data directories");
});

it("does not enter what every container has of its own", () => {
	for (const data of ["/tmp/one", "/run/two"]) enter(data, ["/srv/other"]);
	expect(existsSync(register)).toBe(false);
});

it("refuses a new directory that running containers of another cluster would see", () => {
	expect(() => enter("/srv/new", ["/srv/new", "/srv/running"])).toThrow(
		"containers of the cluster in /srv/running run and would see /srv/new",
	);
	expect(registeredData([register])).toEqual([]);
	enter("/home/ann/new", ["/srv/running"]);
	enter("/srv/running/inner", ["/srv/running"]);
});

it("refuses one in a home directory only where a running cluster shows those", () => {
	const other = `${place}/other`;
	mkdirSync(other);
	writeFileSync(`${other}/cluster.json`, JSON.stringify({ showHome: true }));
	expect(() => enter("/root/.new", [other])).toThrow("would see");
	writeFileSync(`${other}/cluster.json`, JSON.stringify({ showHome: false }));
	enter("/root/.new", [other]);
});

it("takes an entry whose cluster was deleted by hand for a new one", () => {
	enter("/srv/nowhere/cox");
	expect(() => enter("/srv/nowhere/cox", ["/srv/running"])).toThrow("would see");
	enter("/srv/nowhere/cox");
});

it.skipIf(process.getuid?.() !== 0)("believes another user what is that user's own (as root)", async () => {
	const { chownSync } = await import("node:fs");
	mkdirSync(register);
	for (const [name, path] of Object.entries({ a: `${place}/theirs`, b: "/usr", c: `${place}/gone`, d: "relative" }))
		symlinkSync(path, `${register}/${name}`);
	mkdirSync(`${place}/theirs`);
	for (const path of [register, `${place}/theirs`]) chownSync(path, 12345, 12345);
	expect(registeredData([register])).toEqual([register, `${place}/theirs`]);
});

it("makes no cluster's directory of one that has other files, and leaves its rights as they were", () => {
	const folder = `${place}/project`;
	mkdirSync(folder, { mode: 0o755 });
	writeFileSync(`${folder}/thesis.tex`, "");
	expect(() => enterData(folder, { register, running: [] })).toThrow("thesis.tex");
	expect(statSync(folder).mode & 0o777).toBe(0o755);
	rmSync(`${folder}/thesis.tex`);
	// Files that users prepare for a cluster.
	mkdirSync(`${folder}/seccomp`);
	writeFileSync(`${folder}/images.yaml`, "");
	enterData(folder, { register, running: [] });
});

it("deletes of a data directory what a cluster has there, and nothing else", async () => {
	const data = `${place}/data`;
	mkdirSync(`${data}/store`, { recursive: true });
	for (const name of ["cluster.json", "kubeconfig-ann", "audit-2026-01-01T00-00-00.000.log", "backup.cox", "store/x"])
		writeFileSync(`${data}/${name}`, "");
	expect(await deleteData(data)).toEqual(["backup.cox"]);
	expect(readdirSync(data)).toEqual(["backup.cox"]);
	rmSync(`${data}/backup.cox`);
	expect(await deleteData(data)).toEqual([]);
	expect(existsSync(data)).toBe(false);
});

it("says what is wrong with a data directory that is none", () => {
	writeFileSync(`${place}/file`, "");
	expect(() => checkReachable(`${place}/file`)).toThrow("is not a directory");
	expect(() => checkReachable(`${place}/file/data`)).toThrow("what is above it is a file");
	checkReachable(`${place}/none`);
});
