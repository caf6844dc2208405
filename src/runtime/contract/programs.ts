/** The environment of programs in containers, and their results: logs, signals, environment, files. */
import { readFile, rename } from "node:fs/promises";
import { expect } from "vitest";
import { logPayload } from "./defaults.ts";
import type { Stage } from "./stage.ts";

const never = new AbortController().signal;

export function programContract(node: Stage): void {
	node.withPrograms(
		"writes output in the CRI log format, stdout and stderr apart, also a last line without an end",
		async () => {
			const { id } = await node.play({ script: "echo one; echo two >&2; printf three", durationMs: 0 });
			await node.exited(id);
			const text = await readFile(`${node.fixture.directory}/main.log`, "utf8");
			expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z stdout F one$/m);
			expect(logPayload(text, "stdout")).toBe("one\nthree");
			expect(logPayload(text, "stderr")).toBe("two\n");
		},
	);

	node.withPrograms("loses no line when the agent restarts while a container writes", async () => {
		const lines = 20_000;
		const { id } = await node.play({
			script: `i=0; while [ $i -lt ${lines} ]; do echo $i; i=$((i+1)); done`,
			durationMs: 0,
		});
		for (let restarts = 0; restarts < 3; restarts++) {
			await node.fixture.pass();
			await node.reopen();
		}
		await node.exited(id);
		const payload = logPayload(await readFile(`${node.fixture.directory}/main.log`, "utf8"));
		expect(payload).toBe(Array.from({ length: lines }, (_, line) => `${line}\n`).join(""));
	});

	node.withPrograms("goes on in a new log file after reopenLog", async () => {
		const { id } = await node.play({
			script: "echo before; read line; echo after",
			config: { stdin: true },
			durationMs: 0,
		});
		const log = `${node.fixture.directory}/main.log`;
		await node.until("the first line is written", async () => (await readFile(log, "utf8")).includes("before"));
		await rename(log, `${log}.1`);
		await node.runtime.reopenLog(id);
		const session = await node.runtime.attach(id, { stdin: true, signal: never });
		session.stdin?.write("go\n");
		await node.exited(id);
		expect(logPayload(await readFile(log, "utf8"))).toBe("after\n");
		expect(logPayload(await readFile(`${log}.1`, "utf8"))).toBe("before\n");
	});

	node.withPrograms("kills what does not end within the grace period", async () => {
		const { id } = await node.play({ script: "trap '' TERM; echo ready" });
		await node.until("the trap is set", async () =>
			(await readFile(`${node.fixture.directory}/main.log`, "utf8")).includes("ready"),
		);
		await node.runtime.stopContainer(id, 50);
		expect(await node.get(id)).toMatchObject({ exitCode: 137, reason: "Error" });
	});

	node.withPrograms("ends at once on a stop signal that is handled, with the program's own code", async () => {
		const { id } = await node.play({ script: "trap 'exit 7' TERM; echo ready; sleep 1000 & wait" });
		await node.until("the trap is set", async () =>
			(await readFile(`${node.fixture.directory}/main.log`, "utf8")).includes("ready"),
		);
		await node.runtime.stopContainer(id, 60_000);
		expect(await node.get(id)).toMatchObject({ exitCode: 7 });
	});

	node.withPrograms("says StartError for a command that does not exist", async () => {
		const { id } = await node.play({ config: { command: ["no-such-program"] } });
		expect(await node.exited(id)).toMatchObject({
			exitCode: 128,
			reason: "StartError",
			message: expect.stringContaining('exec: "no-such-program": executable file not found in $PATH'),
		});
	});

	node.withPrograms("gives environment, arguments, working directory and host name as they are written", async () => {
		const value = `it's "quoted" $HOME \\ and\nlong`;
		const { id } = await node.play(
			{
				config: {
					command: ["sh", "-c", 'printf "%s|%s|%s|%s" "$VALUE" "$1" "$PWD" "$(uname -n)"', "sh"],
					args: ["a b*'"],
					env: [{ name: "VALUE", value }],
					workingDir: "/srv/not there yet",
				},
			},
			{ hostname: "web-0" },
		);
		await node.exited(id);
		const payload = logPayload(await readFile(`${node.fixture.directory}/main.log`, "utf8"));
		expect(payload).toBe(`${value}|a b*'|/srv/not there yet|web-0`);
	});

	node.withPrograms(
		"keeps the files of two containers of one pod apart, and those of the machine as they are",
		async () => {
			const made = await node.sandbox();
			const first = await node.create(made.id, { script: "echo x >/etc/cox-first", durationMs: 0 }, "first");
			await node.runtime.startContainer(first.id);
			await node.exited(first.id);
			const second = await node.create(made.id, { script: "ls /etc/cox-first", durationMs: 0, exitCode: 8 }, "second");
			await node.runtime.startContainer(second.id);
			await node.exited(second.id);
			expect(logPayload(await readFile(`${node.fixture.directory}/second.log`, "utf8"), "stderr")).toContain(
				"No such file",
			);
			await expect(readFile("/etc/cox-first")).rejects.toThrow("ENOENT");
		},
	);
}
