import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { identify, namespaceOf, type ProcessId } from "../../../linux/processes.ts";
import { holdMountNamespace } from "./held-namespace.ts";

test.skipIf(process.getuid?.() !== 0)(
	"no other namespace gets the ID of one that is held, whose processes have ended (as root)",
	async () => {
		const first = await inNamespace();
		const held = holdMountNamespace(first.process);
		expect(held?.id).toBe(namespaceOf(first.process.pid, "mnt"));
		await end(first.child);
		const second = await inNamespace();
		expect(namespaceOf(second.process.pid, "mnt")).not.toBe(held?.id);
		held?.release();
		held?.release();
		await end(second.child);
		expect(holdMountNamespace(second.process)).toBeUndefined();
	},
);

/** A process that has a mount namespace to itself. */
async function inNamespace(): Promise<{ child: ChildProcess; process: ProcessId }> {
	const child = spawn("unshare", ["--mount", "sh", "-c", "echo; exec sleep 1000"], {
		stdio: ["ignore", "pipe", "ignore"],
	});
	onTestFinished(() => void child.kill("SIGKILL"));
	await once(child.stdout ?? child, "data");
	const process = identify(child.pid ?? 0);
	if (process === undefined) throw new Error("the process has ended");
	return { child, process };
}

async function end(child: ChildProcess): Promise<void> {
	const ended = once(child, "exit");
	child.kill("SIGKILL");
	await ended;
}
