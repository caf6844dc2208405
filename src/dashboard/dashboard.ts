/**
 * The dashboard as a handler in front of the API server's: it knows who looks by a session cookie, and passes requests
 * below `/k8s` on as that user, whose rights the API server checks as always.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { parseRequestInfo } from "../api/request/request-info.ts";
import { messageOf } from "../core/errors.ts";
import type { ApiRequest, ApiResponse, Handler, User } from "../core/exchange.ts";
import type { Clock } from "../core/time/clock.ts";
import { bytesAnswer, guarded, jsonAnswer, messagePage } from "./answers.ts";
import type { Assets } from "./assets.ts";
import { originProblem, passedHeaders, sessionProblem } from "./guard.ts";
import { live } from "./live.ts";
import { type Session, Sessions, type Viewer } from "./sessions.ts";

/** The parts of an API server that it needs. */
export interface ServedApi {
	handle: Handler;
	upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array, user: User): Promise<void>;
}

/** The cluster's clock, where it can be controlled. */
export interface DashboardTime {
	status(): object;
	/** @throws Error for a command that is not understood, or a clock that cannot be controlled */
	turn(command: unknown): Promise<object>;
}

export interface DashboardOptions {
	api: ServedApi;
	assets: Assets;
	time: DashboardTime;
	clock: Clock;
	version: string;
	/** The port that it is served at, on the loopback interface. */
	port(): number;
}

const apiRoot = "/k8s";
const mostLivePaths = 40;
const notShown = "the dashboard does not show answers of pods and services";

export class Dashboard {
	readonly #options: DashboardOptions;
	readonly #sessions: Sessions;

	constructor(options: DashboardOptions) {
		this.#options = options;
		this.#sessions = new Sessions(options.clock);
	}

	/** The path and query of a link that logs a viewer in, once. */
	loginPath(viewer: Viewer): string {
		return `/login?ticket=${this.#sessions.ticket(viewer)}`;
	}

	readonly handle: Handler = async (request) => {
		const problem = originProblem(request.headers, this.#options.port());
		if (problem !== undefined && request.path !== "/login") return jsonAnswer(403, { message: problem });
		if (request.path === "/login") return this.#login(request);
		if (request.path.startsWith("/assets/")) return this.#asset(request, request.path.slice("/assets/".length));
		const session = this.#sessions.find(request.headers["cookie"]);
		if (session === undefined)
			return request.path === "/"
				? messagePage(401, "Run <code>cox dashboard</code> for a link that logs you in.")
				: jsonAnswer(401, { message: "log in with the link of 'cox dashboard'" });
		const refusal = sessionProblem(request, session);
		if (refusal !== undefined) return jsonAnswer(403, { message: refusal });
		return this.#answer(request, session);
	};

	/** Terminals and other streams of pods. Refused without a session, and for those of other sites. */
	readonly upgrade = async (incoming: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> => {
		const headers = incoming.headers as ApiRequest["headers"];
		const session = this.#sessions.find(headers["cookie"]);
		const [path = ""] = (incoming.url ?? "").split("?", 1);
		const request = { method: "GET", path, headers, upgrade: true } as const;
		const isAllowed =
			session !== undefined &&
			// Browsers always name the origin of a WebSocket.
			headers["origin"] !== undefined &&
			originProblem(headers, this.#options.port()) === undefined &&
			sessionProblem(request, session) === undefined &&
			path.startsWith(`${apiRoot}/`) &&
			!isProxied(path.slice(apiRoot.length));
		if (!isAllowed) {
			socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
			return;
		}
		incoming.url = (incoming.url ?? "").slice(apiRoot.length);
		await this.#options.api.upgrade(incoming, socket, head, session.user);
	};

	#login({ query, headers, method }: ApiRequest): ApiResponse {
		// A link that is opened from another site's page is as good as one that is typed; its origin is no reason.
		const hostProblem = originProblem({ host: headers["host"] }, this.#options.port());
		if (hostProblem !== undefined || method !== "GET")
			return messagePage(403, "This is not the address of the dashboard.");
		const id = this.#sessions.open(query.get("ticket") ?? "");
		if (id === undefined)
			return messagePage(403, "This link has been used or has expired: run <code>cox dashboard</code> again.");
		// A page that leads on, instead of a redirect: with SameSite=Strict, a redirect after a link of another site would
		// not send the cookie.
		const page = messagePage(
			200,
			'<a href="/">Continue to the dashboard</a>',
			'<meta http-equiv="refresh" content="0;url=/">',
		);
		page.headers["set-cookie"] = `${this.#sessions.cookieName}=${id}; HttpOnly; SameSite=Strict; Path=/`;
		return page;
	}

	#asset({ headers, method }: ApiRequest, name: string): ApiResponse {
		const answer = method === "GET" ? this.#options.assets.answer(name, headers["accept-encoding"]) : undefined;
		return answer ?? jsonAnswer(404, { message: "there is no such file" });
	}

	async #answer(request: ApiRequest, session: Session): Promise<ApiResponse> {
		const { path, method } = request;
		if (path === "/" && method === "GET") return this.#asset(request, "index.html");
		if (path === "/terminal" && method === "GET") return this.#asset(request, "terminal.html");
		if (path === "/session" && method === "GET") return jsonAnswer(200, this.#sessionInfo(session));
		if (path === "/live" && method === "GET") return this.#live(request, session);
		if (path === "/clock" && method === "POST") return this.#turn(request, session);
		if (path === "/logout" && method === "POST") {
			this.#sessions.close(request.headers["cookie"]);
			return jsonAnswer(200, {});
		}
		if (path.startsWith(`${apiRoot}/`)) return this.#pass(request, session);
		return jsonAnswer(404, { message: "there is no such page" });
	}

	#sessionInfo({ user: { name, groups }, readOnly, csrf }: Session): object {
		const { version, time } = this.#options;
		return { user: name, groups, readOnly, csrf, version, clock: time.status() };
	}

	#live({ query, signal }: ApiRequest, { user }: Session): ApiResponse {
		const paths = query.getAll("path");
		if (paths.length === 0 || paths.length > mostLivePaths)
			return jsonAnswer(400, { message: `expected 1 to ${mostLivePaths} paths` });
		if (paths.some(isProxied)) return jsonAnswer(403, { message: notShown });
		const answer = bytesAnswer(200, "application/x-ndjson", Buffer.alloc(0));
		return {
			type: "stream",
			status: 200,
			headers: answer.headers,
			body: live({ handle: this.#options.api.handle, user, paths, signal }),
		};
	}

	/** Time is the cluster's, not a user's: only its administrators control it. */
	async #turn({ receive }: ApiRequest, { user }: Session): Promise<ApiResponse> {
		if (!user.groups.includes("system:masters"))
			return jsonAnswer(403, { message: "only administrators control the clock" });
		try {
			const command: unknown = JSON.parse(Buffer.from((await receive?.()) ?? "null").toString());
			return jsonAnswer(200, await this.#options.time.turn(command));
		} catch (error) {
			return jsonAnswer(400, { message: messageOf(error) });
		}
	}

	async #pass(request: ApiRequest, { user }: Session): Promise<ApiResponse> {
		const path = request.path.slice(apiRoot.length);
		if (isProxied(path)) return jsonAnswer(403, { message: notShown });
		const { method, query, receive, signal, peer } = request;
		const headers = passedHeaders(request.headers);
		const answer = await this.#options.api.handle({
			method,
			path,
			query,
			headers,
			user,
			signal,
			peer,
			...(receive !== undefined && { receive }),
		});
		return guarded(answer);
	}
}

/** Answers of pods and services would be pages of the dashboard's origin. The API server says what a path means. */
function isProxied(path: string): boolean {
	try {
		return parseRequestInfo({ method: "GET", path, query: new URLSearchParams() }).resource?.subresource === "proxy";
	} catch {
		// The API server refuses it.
		return false;
	}
}
