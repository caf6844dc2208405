/** An API server on a memory store, and a short way to ask it, for tests. */

import type { ApiRequest, ApiResponse, ServedWatchEvent, User } from "../../core/exchange.ts";
import { systemClock } from "../../core/time/clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { type Api, type ApiOptions, createApi } from "../handle.ts";

export const admin: User = { name: "admin", groups: ["system:masters", "system:authenticated"] };

// Tests look into answers of every shape.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

export interface Answer {
	status: number;
	headers: Record<string, string>;
	object: Json;
	/** The bytes that a server would send, parsed: they must say the same as `object`. */
	sent(): Json;
	text(): string;
	response: ApiResponse;
}

export interface AskOptions {
	headers?: Record<string, string>;
	user?: User | undefined;
	signal?: AbortSignal;
	/** Sends the body as bytes of this type. */
	type?: string;
	/** The connection that the request comes by. Default: none, as for a client of the same process. */
	peer?: ApiRequest["peer"];
}

export interface TestApi extends Api {
	ask(method: ApiRequest["method"], path: string, body?: unknown, options?: AskOptions): Promise<Answer>;
	/** Starts a watch and collects its events. */
	watch(path: string, options?: AskOptions): Promise<{ events: ServedWatchEvent[]; ended: (Error | undefined)[] }>;
}

export interface TestOptions extends Partial<ApiOptions> {
	/** Default: `default`. */
	namespaces?: string[];
	/**
	 * Who may do what. `everyone`, the default: every authenticated user may do everything; `bootstrap`: what the roles
	 * of every cluster allow.
	 */
	roles?: "everyone" | "bootstrap";
}

export async function testApi(options: TestOptions = {}): Promise<TestApi> {
	const api = await createApi({
		store: createMemoryStore(),
		clock: systemClock({ unref: true }),
		registry: createRegistry(catalog),
		serviceCidr: "10.96.0.0/16",
		...options,
	});
	const send = (method: ApiRequest["method"], path: string, body: unknown, more: AskOptions) => {
		const cut = path.indexOf("?");
		const bytes = typeof body === "string" ? Buffer.from(body) : more.type && Buffer.from(JSON.stringify(body));
		return api.handle({
			method,
			path: cut < 0 ? path : path.slice(0, cut),
			query: new URLSearchParams(cut < 0 ? "" : path.slice(cut + 1)),
			headers: { ...(more.type === undefined ? {} : { "content-type": more.type }), ...more.headers },
			...("user" in more ? (more.user === undefined ? {} : { user: more.user }) : { user: admin }),
			...(body === undefined ? {} : { body: bytes ? { bytes } : { object: body } }),
			signal: more.signal ?? new AbortController().signal,
			peer: more.peer,
		});
	};
	const test: TestApi = {
		...api,
		async ask(method, path, body, more = {}) {
			const response = await send(method, path, body, more);
			const object = response.type === "object" ? response.object : undefined;
			const text = () => {
				if (response.type !== "object") throw new Error(`${path} answered with a ${response.type}`);
				const bytes = response.bytes();
				return Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes).toString();
			};
			return {
				status: response.status,
				headers: response.headers,
				object,
				text,
				sent: () => JSON.parse(text()),
				response,
			};
		},
		async watch(path, more = {}) {
			const response = await send("GET", path, undefined, more);
			if (response.type !== "watch") throw new Error(`not a watch: ${JSON.stringify(response)}`);
			const events: ServedWatchEvent[] = [];
			const ended: (Error | undefined)[] = [];
			response.start({ event: (event) => events.push(event), end: (error) => ended.push(error) });
			return { events, ended };
		},
	};
	for (const name of options.namespaces ?? ["default"]) {
		await test.ask("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
	}
	await (options.roles === "bootstrap" ? bootstrapRoles(test) : rolesForEveryone(test));
	return test;
}

const rbac = "/apis/rbac.authorization.k8s.io/v1";

/** Those of the cluster; roles of namespaces only where the namespace is there. */
async function bootstrapRoles({ ask }: TestApi): Promise<void> {
	const bootstrap = await import("../../kinds/rbac/bootstrap/bootstrap.ts");
	for (const role of bootstrap.bootstrapClusterRoles) await ask("POST", `${rbac}/clusterroles`, role);
	for (const binding of bootstrap.bootstrapClusterRoleBindings)
		await ask("POST", `${rbac}/clusterrolebindings`, binding);
}

async function rolesForEveryone({ ask }: TestApi): Promise<void> {
	const everything = [
		{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
		{ verbs: ["*"], nonResourceURLs: ["*"] },
	];
	const health = [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/livez", "/readyz", "/version"] }];
	for (const [name, group, rules] of [
		["everything", "system:authenticated", everything],
		["health", "system:unauthenticated", health],
	] as const) {
		await ask("POST", `${rbac}/clusterroles`, { metadata: { name }, rules });
		const roleRef = { kind: "ClusterRole", name };
		await ask("POST", `${rbac}/clusterrolebindings`, {
			metadata: { name },
			roleRef,
			subjects: [{ kind: "Group", name: group }],
		});
	}
}
