/** Sessions with running containers: exec, attach, connections. */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { collect } from "./defaults.ts";
import type { Stage } from "./stage.ts";

const never = new AbortController().signal;

export function sessionContract(node: Stage): void {
	node.withPrograms("runs commands inside with their own streams and exit code", async () => {
		const { id } = await node.play({ script: "echo mine >/var/lib/mine" });
		await node.until("the file is there", async () => {
			const session = await node.runtime.exec(id, {
				command: ["cat", "/var/lib/mine"],
				tty: false,
				stdin: false,
				signal: never,
			});
			return (await collect(session)).stdout === "mine\n";
		});
		const command = ["sh", "-c", "cat; echo problem >&2; exit 4"];
		const session = await node.runtime.exec(id, { command, tty: false, stdin: true, signal: never });
		session.stdin?.end("hello");
		expect(await collect(session)).toEqual({ stdout: "hello", stderr: "problem\n", exitCode: 4 });
	});

	node.withPrograms("gives exec a terminal that can be resized", async () => {
		const { id } = await node.play({});
		// The size may arrive after the line.
		const resized = 'tty; read line; until [ "$(stty size)" = "43 132" ]; do sleep 0.01; done; stty size; exit 6';
		const command = ["sh", "-c", resized];
		const session = await node.runtime.exec(id, { command, tty: true, stdin: true, signal: never });
		expect(session.stderr).toBeUndefined();
		session.resize(0, 0);
		session.resize(132, 43);
		session.stdin?.write("go\r");
		const { stdout, exitCode } = await collect(session);
		expect(stdout).toMatch(/\/dev\/pts\/\d+\r\n/);
		expect(stdout).toContain("43 132");
		expect(exitCode).toBe(6);
	});

	node.withPrograms("ends an exec when its signal aborts", async () => {
		const { id } = await node.play({});
		const abort = new AbortController();
		const session = await node.runtime.exec(id, {
			command: ["sh", "-c", "echo up; exec sleep 1000"],
			tty: false,
			stdin: false,
			signal: abort.signal,
		});
		session.stdout.once("data", () => abort.abort());
		expect((await collect(session)).exitCode).not.toBe(0);
	});

	node.withPrograms("ends an attach with its input where that of the container stays open", async () => {
		const { id } = await node.play({ script: "cat", config: { stdin: true } });
		const session = await node.runtime.attach(id, { stdin: true, signal: never });
		session.stdin?.end("hello\n");
		expect((await collect(session)).exitCode).toBe(0);
		const found = (await node.runtime.listContainers()).find((container) => container.id === id);
		expect(found?.state).toBe("running");
	});

	node.withPrograms("joins a container's streams by attach and hands it the end of input", async () => {
		const { id } = await node.play({
			script: "cat",
			durationMs: 0,
			exitCode: 9,
			config: { stdin: true, stdinOnce: true },
		});
		const session = await node.runtime.attach(id, { stdin: true, signal: never });
		session.stdin?.end("hello\n");
		expect(await collect(session)).toEqual({ stdout: "hello\n", stderr: "", exitCode: 9 });
		expect((await node.exited(id)).exitCode).toBe(9);
	});

	node.withPrograms("carries bytes to a port of the sandbox's own loopback", async () => {
		const { sandbox: made } = await node.play({ config: { command: node.server(8123) } });
		await node.until("the server listens", async () =>
			(await readFile(`${node.fixture.directory}/main.log`, "utf8")).includes("up"),
		);
		const stream = await node.runtime.connect(made.id, 8123, never);
		let text = "";
		for await (const chunk of stream) text += chunk.toString();
		expect(text).toBe("from inside");
		await expect(node.runtime.connect(made.id, 8124, never)).rejects.toThrow("ECONNREFUSED");
	});
}
