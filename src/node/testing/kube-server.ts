/**
 * A minimal API server for kubectl's streaming commands on one pod, in front of an agent's endpoint. The pod's
 * containers are plain processes of the machine. For tests.
 */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createSocketServer } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container, ExecSession, Runtime } from "../../runtime/runtime.ts";
import { usualKubeletConfiguration } from "../context/kubelet-configuration.ts";
import type { NodeContext } from "../context/node-context.ts";
import { createEndpoint } from "../streams/endpoint.ts";

export const testPod: Pod = {
	apiVersion: "v1",
	kind: "Pod",
	metadata: {
		name: "web",
		namespace: "default",
		uid: "u1",
		resourceVersion: "1",
		creationTimestamp: "2026-01-01T00:00:00Z",
	},
	spec: { nodeName: "node-1", containers: [{ name: "c", image: "x", stdin: true, ports: [{ containerPort: 8080 }] }] },
	status: {
		phase: "Running",
		conditions: [{ type: "Ready", status: "True" }],
		containerStatuses: [{ name: "c", ready: true, restartCount: 0, image: "x", imageID: "x", state: { running: {} } }],
	},
};

export interface KubeServer {
	url: string;
	close(): Promise<void>;
}

/** @param logPath log file of the pod's container */
export async function startKubeServer(options: { logPath: string }): Promise<KubeServer> {
	const abort = new AbortController();
	const endpoint = createEndpoint({
		context: context(options.logPath),
		pods: () => [testPod],
		settings: { configuration: usualKubeletConfiguration, clusterDomain: "cluster.local", mostPods: 110 },
		signal: abort.signal,
	});
	const agent = createSocketServer((socket) => endpoint(socket));
	await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
	// The address of a server that listens on a port.
	const agentPort = (agent.address() as AddressInfo).port;
	const server = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => answer(request, response, agentPort));
	server.on("upgrade", (request, socket, head) => pass(request, socket, head, agentPort));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		async close() {
			abort.abort();
			server.closeAllConnections();
			await Promise.all([agent, server].map((each) => new Promise((resolve) => each.close(resolve))));
		},
	};
}

function context(logPath: string): NodeContext {
	const container: Container = {
		id: "c1",
		sandboxId: "s1",
		// Logs and streams read only these fields.
		config: { name: "c", attempt: 0, logPath } as Container["config"],
		imageId: "x",
		state: "running",
		createdAtMs: 0,
		startedAtMs: 0,
	};
	const sandbox = { id: "s1", config: {}, state: "ready", createdAtMs: 0 };
	const runtime: Partial<Runtime> = {
		exec: async (_id, { command, tty, signal }) => runProcess(command, tty, signal),
		attach: async (_id, { signal }) => runProcess(["sh", "-c", "cat; exit 3"], false, signal),
		connect: async (_sandboxId, port) => dial(port),
		stats: async () => [],
	};
	const view = { of: () => ({ sandboxes: [sandbox], containers: [container] }), onChange: () => () => {} };
	// The endpoint uses no other fields of its context.
	return { clock: systemClock(), runtime, view, node: { name: "node-1" } } as unknown as NodeContext;
}

function runProcess(command: readonly string[], tty: boolean, signal: AbortSignal): ExecSession {
	const [program = "", ...args] = command;
	// `script` gives the command a terminal.
	const child = tty
		? spawn("script", ["-qefc", command.map((part) => `'${part}'`).join(" "), "/dev/null"], { signal })
		: spawn(program, args, { signal });
	const exitCode = new Promise<number>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code) => resolve(code ?? 137));
	});
	return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, resize: () => {}, exitCode };
}

function dial(port: number): Promise<Duplex> {
	return new Promise((resolve, reject) => {
		const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => resolve(socket));
		socket.once("error", reject);
	});
}

function answer(request: IncomingMessage, response: ServerResponse, agentPort: number): void {
	const { pathname } = new URL(request.url ?? "/", "http://kube");
	const json = (value: object) => {
		response.setHeader("Content-Type", "application/json");
		response.end(JSON.stringify(value));
	};
	const resource = (name: string) => ({
		name,
		singularName: "",
		namespaced: true,
		kind: "Pod",
		verbs: ["get", "list"],
	});
	if (pathname === "/version") json({ major: "1", minor: "36", gitVersion: "v1.36.0" });
	else if (pathname === "/api") json({ kind: "APIVersions", versions: ["v1"] });
	else if (pathname === "/apis") json({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
	else if (pathname === "/api/v1") json({ kind: "APIResourceList", groupVersion: "v1", resources: [resource("pods")] });
	else if (pathname.endsWith("/pods/web/log")) pass(request, response.socket, Buffer.alloc(0), agentPort);
	else if (pathname.endsWith("/pods/web")) json(testPod);
	else {
		response.statusCode = 404;
		json({ kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404, message: pathname });
	}
}

const agentPaths: Readonly<Record<string, string>> = {
	exec: "/exec/default/web/c",
	attach: "/attach/default/web/c",
	portforward: "/portForward/default/web",
	log: "/containerLogs/default/web/c",
};

/** Forwards a request to the agent unchanged, and then the bytes in both directions. */
function pass(request: IncomingMessage, socket: Duplex | null, head: Buffer, agentPort: number): void {
	if (socket === null) return;
	const url = new URL(request.url ?? "/", "http://kube");
	const path = agentPaths[url.pathname.split("/").at(-1) ?? ""] ?? "/";
	const agent = connect({ port: agentPort, host: "127.0.0.1", allowHalfOpen: true });
	const lines = [`${request.method} ${path}${url.search} HTTP/1.1`];
	for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
		lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
	}
	agent.write(`${lines.join("\r\n")}\r\n\r\n`);
	agent.write(head);
	agent.pipe(socket);
	socket.pipe(agent);
	for (const [from, to] of [
		[agent, socket],
		[socket, agent],
	] as const) {
		from.on("error", () => to.destroy());
		from.on("close", () => to.destroy());
	}
}
