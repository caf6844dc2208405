/** Resources of the machine, and the cluster itself. */
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, freemem } from "node:os";
import { dirname } from "node:path";
import { control } from "../../cluster/control/control-client.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { messageOf } from "../../core/errors.ts";
import { bad, type Check, good, poor, type Verdict } from "./check.ts";

const mebibyte = 1024 * 1024;
/** Below it, nodes report pressure soon. */
const littleDiskBytes = 1024 * mebibyte;
const littleMemoryBytes = 256 * mebibyte;
const preferredPort = 6443;
const oldestNode = [20, 19] as const;

export function machineChecks(layout: Layout): readonly Check[] {
	return [
		{ name: "Node.js", look: nodeVersion },
		{ name: "disk", look: () => disk(layout) },
		{ name: "memory", look: memory },
		{ name: "port", look: () => port(layout) },
		{ name: "cluster", look: () => cluster(layout) },
	];
}

async function nodeVersion(): Promise<Verdict> {
	const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
	const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
	const found = `Node.js ${process.versions.node}, ${availableParallelism()} processors`;
	return isOld ? bad(found, `install Node.js ${oldestNode.join(".")} or later`) : good(found);
}

async function disk({ data }: Layout): Promise<Verdict> {
	let directory = data;
	while (!existsSync(directory)) directory = dirname(directory);
	const { bavail, bsize } = await statfs(directory);
	const found = `${Math.round((bavail * bsize) / mebibyte)} MiB are free for ${data}`;
	return bavail * bsize < littleDiskBytes ? poor(found, "free some, or use another disk with --data") : good(found);
}

async function memory(): Promise<Verdict> {
	const found = `${Math.round(freemem() / mebibyte)} MiB of memory are free`;
	return freemem() < littleMemoryBytes ? poor(found, "end other programs") : good(found);
}

async function port(layout: Layout): Promise<Verdict> {
	if (await isRunning(layout)) return good("the API server has its port");
	const isFree = await new Promise<boolean>((resolve) => {
		const server = createServer();
		server.once("error", () => resolve(false));
		server.listen(preferredPort, "127.0.0.1", () => server.close(() => resolve(true)));
	});
	return isFree
		? good(`port ${preferredPort} is free for the API server`)
		: poor(`port ${preferredPort} is taken: the API server of a new cluster gets another one`);
}

async function cluster(layout: Layout): Promise<Verdict> {
	try {
		const { nodes, warnings, restarts, server } = await control(layout, "status");
		const lost = nodes.filter(({ ready }) => !ready).map(({ name }) => name);
		if (lost.length > 0) return bad(`not ready: ${lost.join(", ")}`, `see 'cox status' and ${layout.log}`);
		const [warning] = warnings;
		if (warning !== undefined) return poor(warning);
		if (restarts.count > 0)
			return poor(`the server process was restarted ${restarts.count} times`, `see ${layout.log}`);
		return good(`a cluster with ${nodes.length} nodes runs at ${server}`);
	} catch (error) {
		return good(messageOf(error));
	}
}

function isRunning(layout: Layout): Promise<boolean> {
	return control(layout, "status").then(
		() => true,
		() => false,
	);
}
