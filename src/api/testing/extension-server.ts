import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import { createRequire } from "node:module";
import { expect, vi } from "vitest";
import { closers, listening, sharedCertificates } from "./clients.ts";
import { type AskOptions, type TestApi, type TestOptions, testApi } from "./test-api.ts";

interface Settings {
	tls: { cert: string; key: string };
	proxies: { ca: string; names: string[] };
	audit?: (line: string) => void;
	intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
}

// Of the package's own assets.
const { createServer } = createRequire(import.meta.url)(
	"../../../assets/stand-ins/lib/sample-apiserver/server.cjs",
) as {
	createServer(settings: Settings): Server;
};

interface Asked {
	user: { username: string; groups: string[]; extra: object };
	verb: string;
	requestURI: string;
}

export interface ExtensionServer {
	port: number;
	https: Server;
	/** In PEM. */
	ca: string;
	/** Requests, with who has asked; those of the aggregator itself apart. */
	readonly asked: Asked[];
	readonly askedByItself: Asked[];
	/** Answers in its place; undefined: nobody does. */
	intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

/** Its certificate is for the service `hook` in the namespace `default`. */
export async function extensionServer(names: string[] = ["front-proxy-client"]): Promise<ExtensionServer> {
	const { ca, server: tls } = await sharedCertificates();
	const [asked, askedByItself]: [Asked[], Asked[]] = [[], []];
	const https = createServer({
		tls,
		proxies: { ca, names },
		audit(line) {
			const one: Asked = JSON.parse(line);
			(one.user.username.startsWith("system:") ? askedByItself : asked).push(one);
		},
		intercept: (request, response) => extension.intercept?.(request, response) ?? false,
	});
	const port = await listening(https);
	const extension: ExtensionServer = { port, https, ca, asked, askedByItself, intercept: undefined };
	return extension;
}

/** The certificate by which the extension server knows the proxy. */
export async function proxyClient(name = "front-proxy-client") {
	const pair = await (await sharedCertificates()).client(`CN=${name}`);
	return () => pair;
}

export const wardle = "/apis/wardle.example.com/v1alpha1";
const registration = "/apis/apiregistration.k8s.io/v1/apiservices";

/** A service whose only endpoint is the extension server. */
export async function exposeExtension(api: TestApi, port: number): Promise<void> {
	const spec = { ports: [{ name: "https", port: 443, targetPort: port }] };
	await api.ask("POST", "/api/v1/namespaces/default/services", { metadata: { name: "hook" }, spec });
	await api.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
		metadata: { name: "hook", labels: { "kubernetes.io/service-name": "hook" } },
		addressType: "IPv4",
		ports: [{ name: "https", port }],
		endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
	});
}

export function register(api: TestApi, spec: object = {}, version = "v1alpha1") {
	const group = "wardle.example.com";
	return api.ask("POST", registration, {
		metadata: { name: `${version}.${group}` },
		spec: {
			group,
			version,
			groupPriorityMinimum: 2000,
			versionPriority: 200,
			service: { namespace: "default", name: "hook" },
			...spec,
		},
	});
}

/** Waits for what is found out in the background. */
export function until<T>(check: () => Promise<T> | T): Promise<T> {
	return vi.waitFor(check, { timeout: 60_000 });
}

/** The condition Available of the APIService, in words. */
export async function availability(api: TestApi, name = "v1alpha1.wardle.example.com"): Promise<string> {
	const { object } = await api.ask("GET", `${registration}/${name}`);
	const [{ status = "", reason = "", message = "" } = {}] = object.status?.conditions ?? [];
	return `${status} ${reason}: ${message}`;
}

/** An API server beside an extension server that accepts its proxy certificate; nothing is registered yet. */
export async function besideExtension(
	options: TestOptions = {},
): Promise<{ api: TestApi; extension: ExtensionServer }> {
	const extension = await extensionServer();
	const api = await testApi({ proxyClient: await proxyClient(), ...options });
	closers.push(() => api.close());
	return { api, extension };
}

/** The `caBundle` of its registration. */
export function bundleOf({ ca }: ExtensionServer): string {
	return Buffer.from(ca).toString("base64");
}

/** The same with the extension server's API, available. */
export async function availableExtension(options: TestOptions = {}): ReturnType<typeof besideExtension> {
	const { api, extension } = await besideExtension(options);
	await exposeExtension(api, extension.port);
	await register(api, { caBundle: bundleOf(extension) });
	await until(async () => expect(await availability(api)).toBe("True Passed: all checks passed"));
	return { api, extension };
}

/** What a proxied request was answered. */
export async function through(
	api: TestApi,
	method: Parameters<TestApi["ask"]>[0],
	path: string,
	body?: unknown,
	options: AskOptions = {},
) {
	const peer = { remoteAddress: "127.0.0.1" };
	const { response } = await api.ask(method, path, body, { peer, ...options });
	const { status, headers } = response;
	if (response.type === "object") {
		const bytes = response.bytes();
		return { status, headers, text: Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes).toString() };
	}
	if (response.type !== "stream") throw new Error(`${path} answered with a ${response.type}`);
	const parts: Uint8Array[] = [];
	for await (const part of response.body) parts.push(part);
	return { status, headers, text: Buffer.concat(parts).toString() };
}
