/**
 * The server process of a cluster, started by launch.ts. Its only argument is JSON: the data directory and the options.
 */

import { rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import { spawnApart } from "../../linux/inherited.ts";
import { logError } from "../../linux/process-log.ts";
import { allPids, environmentOf, identify, signal } from "../../linux/processes.ts";
import type { StartReport } from "../control/control-protocol.ts";
import { serveControl } from "../control/control-server.ts";
import { supervision } from "../control/supervision.ts";
import { layoutOf } from "../files/layout.ts";
import { programFile } from "../files/package-files.ts";
import { collectStartGarbage } from "../files/start-garbage.ts";
import { finishRestore } from "../snapshot/finish.ts";
import type { LaunchOptions } from "./launch.ts";
import { ClusterServer } from "./server.ts";

// Written by launch.ts.
const { data, ...options } = JSON.parse(process.argv[2] ?? "{}") as LaunchOptions & { data: string };
const layout = layoutOf(data);

// What nodes and pods may read must not depend on the umask of `cox up`; secret files have modes of their own.
process.umask(0o022);

/**
 * Of what `cox test` ran, which nobody waits for any more: a suite would go on against a cluster that is gone. All its
 * processes have the data directory, which nobody else knows, in their environments.
 */
function endCommand(data: string): void {
	for (const pid of allPids()) {
		const process = identify(pid);
		if (process !== undefined && environmentOf(pid).includes(`COX_DATA=${data}`)) signal(process, "SIGTERM");
	}
}

/** Another process: it deletes what this one uses. */
function removeAfterOwner(data: string): void {
	endCommand(data);
	const reset = [programFile("cli"), "reset", "--data", data];
	spawnApart(process.execPath, reset, { detached: true, stdio: ["ignore", "ignore", "ignore"] }).unref();
}

function report(message: StartReport): void {
	process.send?.(message, undefined, undefined, () => {});
}

let stopping: Promise<void> | undefined;

function stop(server: ClusterServer, exitCode: number): Promise<void> {
	stopping ??= server.stop().finally(() => {
		rmSync(layout.pidFile, { force: true });
		process.exitCode = exitCode;
		// Pending work must not keep the process of a stopped cluster alive.
		setImmediate(() => process.exit());
	});
	return stopping;
}

async function main(): Promise<void> {
	// Before anything is read: an interrupted restore has already determined the contents.
	finishRestore(layout);
	// A restarted server uses the settings, which may have changed since `cox up`.
	const isFirst = supervision(layout).restarts.count === 0;
	const server = new ClusterServer(layout, isFirst ? options : {});
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop(server, 0));
	process.on("uncaughtException", (error) => {
		logError("uncaught", error);
		server.abandon();
		// Acknowledged writes are on disk. The supervisor starts another server, which finds nodes and pods running.
		process.exit(1);
	});
	const status = await server.start((text) => report({ type: "progress", text }));
	const control = await serveControl(layout.controlSocket, {
		status: () => server.status(),
		ready: () => server.ready(),
		addNodes: (request) => server.nodes.add(request),
		removeNode: ({ name }) => server.nodes.remove(name),
		clock: (command) => server.clock(command),
		dashboard: (request) => server.dashboard(request),
		rotateSecrets: () => server.rotateSecrets(),
		copyStore: async ({ folder }) => {
			await server.copyStore(folder);
			return {};
		},
		stop: async () => {
			// The response is sent before the socket closes.
			setImmediate(() => void control.close().then(() => stop(server, 0)));
			return {};
		},
	});
	// Only the supervisor of the first server reads it: on a full disk, a later server works without it.
	try {
		writeFileSync(layout.pidFile, `${process.pid}\n`, { mode: 0o600 });
	} catch (error) {
		logError(layout.pidFile, error);
	}
	report({ type: "ready", status });
	if (options.isTied === true) process.once("disconnect", () => removeAfterOwner(layout.data));
	collectStartGarbage();
}

main().catch((error: unknown) => {
	logError("start", error);
	report({ type: "failed", message: messageOf(error) });
	process.exitCode = 1;
	setImmediate(() => process.exit());
});
