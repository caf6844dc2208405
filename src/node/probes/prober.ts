/**
 * Probes as the kubelet does them: in the container (exec), or from the node to the pod's address (HTTP, TCP, gRPC).
 */
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import type { Container as ContainerSpec, HTTPGetAction, Probe } from "../../kinds/generated/types.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { ProbeResult, Prober } from "../context/node-context.ts";
import { dialError } from "./dial-error.ts";

/** Upstream's limit for the part of the output that is kept. */
const longestOutput = 10 * 1024;

export function createProber(runtime: Runtime): Prober {
	return async (target, probe, signal) => {
		if (probe.exec !== undefined) return execProbe(runtime, target.id, probe.exec.command ?? [], signal);
		const address = target.addresses[0];
		if (address === undefined) return { ok: false, message: "the pod has no address", warning: true };
		if (probe.httpGet !== undefined) return httpProbe(address, target.container, probe.httpGet, signal);
		if (probe.tcpSocket !== undefined) {
			const port = portNumber(target.container, probe.tcpSocket.port);
			return tcpProbe(probe.tcpSocket.host ?? address, port, signal);
		}
		if (probe.grpc !== undefined) {
			// Loaded on first use: few pods need it, and HTTP/2 would use a large part of an idle agent's memory.
			const { grpcProbe } = await import("./grpc-probe.ts");
			return grpcProbe(address, probe.grpc.port, probe.grpc.service ?? "", signal);
		}
		return noHandler(probe);
	};
}

function noHandler(probe: Probe): ProbeResult {
	return { ok: false, message: `missing probe handler: ${Object.keys(probe).join(", ")}`, warning: true };
}

/**
 * A port given by number, or by the name of one of the container's ports.
 * @throws Error for an unknown name
 */
export function portNumber(container: ContainerSpec, port: number | string): number {
	if (typeof port === "number") return port;
	const named = container.ports?.find(({ name }) => name === port)?.containerPort;
	const parsed = named ?? Number(port);
	if (!Number.isInteger(parsed) || parsed < 1 || parsed > 65535) throw new Error(`couldn't find port: ${port}`);
	return parsed;
}

async function execProbe(
	runtime: Runtime,
	id: string,
	command: readonly string[],
	signal: AbortSignal,
): Promise<ProbeResult> {
	const { exitCode, output } = await execOutput(runtime, id, command, signal);
	return exitCode === 0 ? { ok: true } : { ok: false, message: output };
}

/**
 * Runs a command in a container and returns the beginning of its output.
 * @throws if the signal aborts
 */
export async function execOutput(
	runtime: Runtime,
	id: string,
	command: readonly string[],
	signal: AbortSignal,
): Promise<{ exitCode: number; output: string }> {
	const session = await runtime.exec(id, { command, tty: false, stdin: false, signal });
	const parts: Buffer[] = [];
	let size = 0;
	const take = (stream: Readable | undefined) => {
		stream?.on("data", (chunk: Buffer) => {
			if (size < longestOutput) parts.push(chunk.subarray(0, longestOutput - size));
			size += chunk.length;
		});
		stream?.on("error", () => {});
	};
	take(session.stdout);
	take(session.stderr);
	const exitCode = await orAborted(session.exitCode, signal);
	return { exitCode, output: Buffer.concat(parts).toString() };
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		const abort = () => reject(signal.reason);
		if (signal.aborted) abort();
		signal.addEventListener("abort", abort, { once: true });
		promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
	});
}

async function httpProbe(
	address: string,
	container: ContainerSpec,
	action: HTTPGetAction,
	signal: AbortSignal,
): Promise<ProbeResult> {
	const { url } = httpTarget(address, container, action);
	try {
		return await followed(url, (to) => httpGet(address, container, action, signal, "kube-probe/1.36", to));
	} catch (error) {
		const why = signal.aborted
			? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
			: dialError(error);
		return { ok: false, message: `Get "${url}": ${why}` };
	}
}

interface HttpAnswer {
	status: number;
	location?: string | undefined;
	/** The beginning of the body of a redirect. */
	body?: string;
}

/**
 * Follows redirects on the same host. A redirect to another host is a success with a warning: its target is not probed.
 */
async function followed(first: string, get: (url: string) => Promise<HttpAnswer>): Promise<ProbeResult> {
	let url = first;
	for (let redirects = 0; ; redirects++) {
		const { status, location, body = "" } = await get(url);
		const notFollowed: ProbeResult = { ok: true, warning: `Probe terminated redirects, Response body: ${body}` };
		if (!redirecting.has(status) || location === undefined || location === "") {
			if (status >= 200 && status < 300) return { ok: true };
			if (status >= 300 && status < 400) return notFollowed;
			return { ok: false, message: `HTTP probe failed with statuscode: ${status}` };
		}
		const next = new URL(location, url);
		if (next.hostname !== new URL(first).hostname || !/^https?:$/.test(next.protocol)) return notFollowed;
		if (redirects === mostRedirects)
			return { ok: false, message: `Get "${next}": stopped after ${mostRedirects} redirects` };
		url = next.href;
	}
}

const redirecting = new Set([301, 302, 303, 307, 308]);
const mostRedirects = 10;

function httpTarget(address: string, container: ContainerSpec, action: HTTPGetAction) {
	const scheme = (action.scheme ?? "HTTP").toLowerCase();
	const host = action.host === undefined || action.host === "" ? address : action.host;
	const port = portNumber(container, action.port);
	const path = action.path === undefined || action.path === "" ? "/" : action.path;
	const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
	return { scheme, host, port, url };
}

/**
 * Sends a GET request; certificates are not verified, as upstream.
 * @param url the target of a redirect, instead of the action's
 * @throws connection errors
 */
export function httpGet(
	address: string,
	container: ContainerSpec,
	action: HTTPGetAction,
	signal: AbortSignal,
	userAgent: string,
	url: string = httpTarget(address, container, action).url,
): Promise<HttpAnswer> {
	const headers: Record<string, string | string[]> = { "User-Agent": userAgent, Accept: "*/*", Connection: "close" };
	for (const { name, value } of action.httpHeaders ?? []) {
		const before = headers[name];
		headers[name] = before === undefined || name.toLowerCase() === "user-agent" ? value : [before, value].flat();
	}
	return new Promise((resolve, reject) => {
		const answered = (response: IncomingMessage) => {
			const { statusCode: status = 0 } = response;
			const isRedirect = status >= 300 && status < 400;
			const finish = (body: string) => {
				resolve({ status, location: response.headers.location, body });
				request.destroy();
			};
			response.on("error", reject);
			if (isRedirect) beginning(response, finish);
			else {
				response.resume();
				finish("");
			}
		};
		const options = { headers, signal, agent: false as const };
		const request = url.startsWith("https:")
			? https.get(url, { ...options, rejectUnauthorized: false }, answered)
			: http.get(url, options, answered);
		request.on("error", reject);
		// Without a listener, nothing would follow.
		request.once("upgrade", ({ statusCode: status = 0 }, socket) => {
			socket.destroy();
			resolve({ status });
		});
	});
}

/** Calls back with as much of the text as is kept. */
function beginning(stream: Readable, done: (text: string) => void): void {
	let text = "";
	stream.setEncoding("utf8");
	stream.on("data", (piece: string) => {
		text += piece;
		if (text.length >= longestOutput) done(text.slice(0, longestOutput));
	});
	stream.once("end", () => done(text));
}

/** Whether a connection is accepted. */
export function tcpProbe(host: string, port: number, signal: AbortSignal): Promise<ProbeResult> {
	return new Promise((resolve) => {
		const socket = connect({ host, port });
		const finish = (result: ProbeResult) => {
			signal.removeEventListener("abort", abort);
			socket.destroy();
			resolve(result);
		};
		const abort = () => finish({ ok: false, message: `dial tcp ${host}:${port}: i/o timeout` });
		signal.addEventListener("abort", abort, { once: true });
		socket.once("connect", () => finish({ ok: true }));
		socket.once("error", (error) => finish({ ok: false, message: dialError(error) }));
	});
}
