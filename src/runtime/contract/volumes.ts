/** Volumes in containers. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { messageOf } from "../../core/errors.ts";
import { logPayload } from "./defaults.ts";
import type { Stage } from "./stage.ts";

export function volumeContract(node: Stage): void {
	node.withPrograms("mounts parts of volumes, and none that leads out", async () => {
		const volume = `${node.fixture.directory}/volume`;
		await mkdir(`${volume}/inner`, { recursive: true });
		await writeFile(`${volume}/inner/file`, "seen\n");
		await symlink("/etc", `${volume}/out`);
		const mount = { hostPath: volume, containerPath: "/part", readOnly: true, propagation: "None" } as const;
		const script = "cat /part/file; touch /part/new || echo read-only";
		const { id } = await node.play({ script, durationMs: 0, config: { mounts: [{ ...mount, subPath: "inner" }] } });
		await node.exited(id);
		const log = await readFile(`${node.fixture.directory}/main.log`, "utf8");
		expect(logPayload(log, "stdout")).toBe("seen\nread-only\n");
		const out = node.play({ config: { mounts: [{ ...mount, subPath: "out" }] } });
		const failure = await out.then(({ id: other }) => node.exited(other), messageOf);
		expect(JSON.stringify(failure)).toContain("leads out of its directory");
	});
}
