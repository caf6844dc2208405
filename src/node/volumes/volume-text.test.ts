import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pod } from "../../kinds/generated/types.ts";
import { volumeText } from "./volume-text.ts";

let folder: string;
// The pod is not used here.
const pod = {} as Pod;
const volumes = {
	path: async (_pod: Pod, name: string) =>
		name === "v" ? { path: join(folder, "volume"), readOnly: false } : undefined,
};
// Only the path of one volume is used.
const textOf = (name: string, path: string) => volumeText(volumes as Parameters<typeof volumeText>[0], pod, name, path);

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "volume-text-"));
	execFileSync("mkdir", [join(folder, "volume")]);
	await writeFile(join(folder, "volume/env"), "A='1'");
	await writeFile(join(folder, "secret"), "S='1'");
	await symlink("../secret", join(folder, "volume/out"));
	await symlink("env", join(folder, "volume/in"));
	execFileSync("mkfifo", [join(folder, "volume/pipe")]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a file, or a link to one inside the volume", async () => {
	expect(await textOf("v", "env")).toBe("A='1'");
	expect(await textOf("v", "in")).toBe("A='1'");
	expect(await textOf("v", "none")).toBeUndefined();
});

test.each([
	["v", "out", "leaves the volume"],
	["v", "pipe", "is no file"],
	["v", ".", "is no file"],
	["v", "../secret", "leaves the volume"],
	["w", "env", 'cannot find the volume "w"'],
])("%s %s is refused", async (name, path, message) => {
	await expect(textOf(name, path)).rejects.toThrow(message);
});
