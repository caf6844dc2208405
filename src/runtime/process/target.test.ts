/**
 * Containers that see another container's processes, like those of `kubectl debug --target`. rootless.test.ts runs it
 * without root.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allPids } from "../../linux/processes.ts";
import { collect, containerConfig } from "../contract/contract.ts";
import { processFixture } from "./testing.ts";

const never = new AbortController().signal;

describe.skipIf(process.getuid?.() !== 0)("a container with a target (as root, or as root of a user namespace)", () => {
	it("sees its processes and may signal them, with files of its own, and ends alone", async () => {
		const fixture = await processFixture();
		try {
			const target = await fixture.start({ command: ["sh", "-c", "touch /mark; exec sleep 1000"] });
			const start = async (name: string, script: string) => {
				const config = containerConfig(fixture.directory, name, {
					command: ["sh", "-c", script],
					targetId: target.id,
				});
				const { id } = await fixture.runtime.createContainer(target.sandboxId, config);
				await fixture.runtime.startContainer(id);
				return id;
			};
			const look =
				"cat /proc/1/comm; ls /mark /proc/1/root/mark 2>&1; ls /proc/1/cwd >/dev/null && kill -0 1 && echo may signal";
			await fixture.exited(await start("look", look));
			expect(fixture.log("look")).toBe(
				"sleep\nls: cannot access '/mark': No such file or directory\n/proc/1/root/mark\nmay signal\n",
			);

			const debug = await start("debug", `sleep 2${process.pid} & exec sleep 3000`);
			const command = ["sh", "-c", "cat /proc/1/comm"];
			const session = await fixture.runtime.exec(debug, { command, tty: false, stdin: false, signal: never });
			expect((await collect(session)).stdout).toBe("sleep\n");
			await fixture.runtime.removeContainer(debug);
			expect(allPids().filter((pid) => commandOf(pid).includes(`\x002${process.pid}\x00`))).toEqual([]);

			const [found] = (await fixture.runtime.listContainers()).filter(({ id }) => id === target.id);
			expect(found?.state).toBe("running");
			await fixture.runtime.stopContainer(target.id, 0);
			await expect(start("late", "true")).rejects.toThrow(`container ${target.id}, whose processes`);
		} finally {
			await fixture.dispose();
		}
	});
});

function commandOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8");
	} catch {
		return "";
	}
}
