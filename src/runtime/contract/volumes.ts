/** Volumes in containers. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { messageOf } from "../../core/errors.ts";
import { logPayload, plainSecurity } from "./defaults.ts";
import type { Stage } from "./stage.ts";

export function volumeContract(node: Stage): void {
	node.withPrograms("lets privileged containers mount, and no others", async () => {
		const made = await node.sandbox();
		const script = "mount -t tmpfs none /tmp && echo mounted";
		for (const privileged of [true, false]) {
			const name = `privileged-${privileged}`;
			const config = { security: { ...plainSecurity, privileged } };
			const { id } = await node.create(made.id, { script, durationMs: 0, config }, name);
			await node.runtime.startContainer(id);
			await node.exited(id);
			const log = await readFile(`${node.fixture.directory}/${name}.log`, "utf8");
			expect(logPayload(log, "stdout")).toBe(privileged ? "mounted\n" : "");
		}
	});

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
