import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const module = fileURLToPath(new URL("inherited.ts", import.meta.url));
/** Starts a Node process that starts a program, and prints that program's descriptors. */
const program = `
import { spawnApart } from ${JSON.stringify(module)};
const grandchild = 'require("child_process").spawnSync("sh", ["-c", "echo /proc/$$/fd/*"], { stdio: "inherit" })';
spawnApart(process.execPath, ["-e", grandchild], { stdio: ["ignore", "inherit", "inherit"] });
`;

describe.skipIf(process.platform !== "linux")("processes that outlive their start", () => {
	it("inherit nothing, whatever the caller had open and however far apart", () => {
		const command = `exec 20</etc/passwd 251</etc/passwd 300</etc/passwd; exec "$0" --import tsx --input-type=module -e "$1"`;
		const { stdout, stderr } = spawnSync("bash", ["-c", command, process.execPath, program], {
			encoding: "utf8",
			cwd: fileURLToPath(new URL("../..", import.meta.url)),
		});
		expect(stderr).toBe("");
		// The shell uses the last one to read the directory.
		expect(
			stdout
				.trim()
				.split(" ")
				.map((path) => path.slice(path.lastIndexOf("/") + 1)),
		).toEqual(["0", "1", "2", "3"]);
	});
});
