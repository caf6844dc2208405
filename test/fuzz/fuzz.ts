/** Asks an API server as many requests as wanted, and holds it to what must never happen. */

import { parse } from "yaml";
import type { Api } from "../../src/api/handle.ts";
import { createApi } from "../../src/api/handle.ts";
import type { ApiResponse } from "../../src/core/exchange.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { apiVersionOf, type Kind } from "../../src/kinds/engine/kind.ts";
import { createRegistry } from "../../src/kinds/engine/registry.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { Chance } from "./chance.ts";
import { admin, changedObject, type FuzzedRequest, fuzzedRequest, inProcess } from "./requests.ts";

export interface FuzzOptions {
	requests: number;
	seed: number;
	/** Sends a request by another way than to the server in this process. */
	send?: (api: Api, request: FuzzedRequest, signal: AbortSignal) => Promise<FuzzedAnswer>;
}

export interface FuzzedAnswer {
	status: number;
	/** Of a finished answer. */
	text: string | undefined;
}

export interface FuzzReport {
	/** What must never happen, with the request that led to it; the first of each sort. */
	problems: string[];
	/** Status code → number of answers. */
	answers: Map<number, number>;
	/** The most heap in use after a check, above that at the start. */
	heapGrowthBytes: number;
	/** The request that took the longest. */
	slowest: { durationMs: number; request: string };
	storedCount: number;
}

/** After so many requests everything stored is looked at, and then there is a new server. */
const roundLength = 500;
/** Refusals and what could not be reached; everything else above 499 is a defect. */
const honestFailures = new Set([503, 504]);
const mostProblems = 30;

export async function fuzz({ requests, seed, send = sendInProcess }: FuzzOptions): Promise<FuzzReport> {
	const chance = new Chance(seed);
	const report: FuzzReport = {
		problems: [],
		answers: new Map(),
		heapGrowthBytes: 0,
		slowest: { durationMs: 0, request: "" },
		storedCount: 0,
	};
	const seen = new Set<string>();
	const problem = (sort: string, detail: string) => {
		if (seen.has(sort) || report.problems.length >= mostProblems) return;
		seen.add(sort);
		report.problems.push(`${sort}: ${detail.slice(0, 3000)}`);
	};
	const clock = systemClock({ unref: true });
	const heapAtStart = heapBytes();
	for (let done = 0; done < requests; ) {
		const api = await createApi({
			store: createMemoryStore(),
			clock,
			registry: createRegistry(catalog),
			serviceCidr: "10.96.0.0/16",
		});
		const round = new Round(api, send, problem);
		await round.ask(namespaceRequest);
		for (; done < requests && round.count < roundLength; done++) {
			const request = await round.sometimesChanged(fuzzedRequest(chance), chance);
			const startMs = clock.monotonicMs();
			const status = await round.ask(request);
			const durationMs = clock.monotonicMs() - startMs;
			report.answers.set(status, (report.answers.get(status) ?? 0) + 1);
			if (durationMs > report.slowest.durationMs) report.slowest = { durationMs, request: shown(request) };
		}
		report.storedCount += await round.checkStored();
		checkPrototypes(problem);
		report.heapGrowthBytes = Math.max(report.heapGrowthBytes, heapBytes() - heapAtStart);
		await api.close();
	}
	return report;
}

const namespaceRequest: FuzzedRequest = {
	method: "POST",
	path: "/api/v1/namespaces",
	query: "",
	headers: {},
	body: Buffer.from('{"metadata":{"name":"default"}}'),
	user: admin,
};

/** @param sort what happened: only the first of each is printed */
type Report = (sort: string, detail: string) => void;

class Round {
	readonly #api: Api;
	readonly #send: NonNullable<FuzzOptions["send"]>;
	readonly #problem: Report;
	count = 0;

	constructor(api: Api, send: NonNullable<FuzzOptions["send"]>, problem: Report) {
		this.#api = api;
		this.#send = send;
		this.#problem = problem;
	}

	/** Asks, and looks at the answer. */
	async ask(request: FuzzedRequest): Promise<number> {
		this.count++;
		const { status, text } = await this.#answer(request, this.#send);
		if (status >= 500 && !honestFailures.has(status))
			this.#problem(`${status} ${text?.slice(0, 120)}`, `${shown(request)} → ${text}`);
		if (status >= 400 && request.method !== "HEAD" && !isStatus(text, status))
			this.#problem(`${status} without a Status`, `${shown(request)} → ${text}`);
		if ((text?.length ?? 0) > 200_000 && status >= 400) this.#problem("a long refusal", shown(request));
		return status;
	}

	/** What is looked up or checked does not go through a socket: that is for what is fuzzed. */
	async #answer(request: FuzzedRequest, send = sendInProcess): Promise<FuzzedAnswer> {
		const ending = new AbortController();
		try {
			return await send(this.#api, request, ending.signal);
		} catch (error) {
			this.#problem("a thrown error", `${shown(request)} → ${error instanceof Error ? error.stack : String(error)}`);
			return { status: 0, text: undefined };
		} finally {
			ending.abort();
		}
	}

	/** Now and then a write of a stored object with one change, in the place of the request. */
	async sometimesChanged(request: FuzzedRequest, chance: Chance): Promise<FuzzedRequest> {
		if (!chance.once(4)) return request;
		const kind = chance.pick(catalog);
		const stored = await this.#list(kind);
		if (stored.length === 0) return request;
		const object = chance.pick(stored);
		return {
			method: "PUT",
			path: pathOf(kind, object),
			query: "",
			headers: {},
			body: Buffer.from(JSON.stringify(changedObject(kind, object, chance))),
			user: admin,
		};
	}

	/** Everything stored can be read, listed in all forms, and written as it is. @returns how much there is */
	async checkStored(): Promise<number> {
		let count = 0;
		for (const kind of catalog) {
			for (const accept of forms) await this.#mustSucceed(this.#listRequest(kind, accept));
			for (const served of kind.servedAs ?? [])
				await this.#mustSucceed({ ...this.#listRequest(kind), path: `${rootOf(apiVersionOf(served))}/${kind.plural}` });
			for (const object of await this.#list(kind)) {
				count++;
				const request = { ...this.#listRequest(kind), path: pathOf(kind, object) };
				await this.#mustSucceed(request);
				const body = Buffer.from(JSON.stringify(object));
				await this.#mustSucceed({ ...request, method: "PUT", body });
			}
		}
		return count;
	}

	async #mustSucceed(request: FuzzedRequest): Promise<void> {
		const { status, text } = await this.#answer(request);
		if (status !== 200)
			this.#problem(`${request.method} of what is stored: ${status} ${kindOf(text)}`, `${shown(request)} → ${text}`);
	}

	async #list(kind: Kind): Promise<StoredObject[]> {
		const { text } = await this.#answer(this.#listRequest(kind));
		// The server has just written it; a failure was reported.
		return (
			(JSON.parse(text ?? "{}") as { items?: StoredObject[] }).items?.map((item) => ({
				...item,
				apiVersion: apiVersionOf(kind),
				kind: kind.kind,
			})) ?? []
		);
	}

	#listRequest(kind: Kind, accept = "application/json"): FuzzedRequest {
		const path = `${rootOf(apiVersionOf(kind))}/${kind.plural}`;
		return { method: "GET", path, query: "", headers: { accept }, body: undefined, user: admin };
	}
}

/** The kinds of this project alone have no form in protobuf. */
const forms = [
	"application/json;as=Table;g=meta.k8s.io;v=v1",
	"application/yaml",
	"application/vnd.kubernetes.protobuf,application/json",
	"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
];

interface StoredObject {
	metadata: { name: string; namespace?: string };
}

function kindOf(text: string | undefined): string {
	return (
		/"kind":"[A-Za-z]+","causes":\[\{"reason":"[A-Za-z]+","message":"[^"]{0,60}/.exec(text ?? "")?.[0] ??
		text?.slice(0, 200) ??
		""
	);
}

function rootOf(apiVersion: string): string {
	return `/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}`;
}

function pathOf(kind: Kind, { metadata: { name, namespace } }: StoredObject): string {
	const place = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
	return `${rootOf(apiVersionOf(kind))}${place}/${kind.plural}/${encodeURIComponent(name)}`;
}

async function sendInProcess(api: Api, request: FuzzedRequest, signal: AbortSignal): Promise<FuzzedAnswer> {
	const response = await api.handle(inProcess(request, signal));
	return { status: response.status, text: await textOf(response) };
}

async function textOf(response: ApiResponse): Promise<string | undefined> {
	if (response.type === "watch") {
		response.start({ event: () => {}, end: () => {} });
		return undefined;
	}
	if (response.type !== "object") return undefined;
	const bytes = response.bytes();
	return Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes).toString();
}

/** In the form that was asked for: JSON, YAML or protobuf, whose texts stand in it as they are. */
function isStatus(text: string | undefined, code: number): boolean {
	if (text === undefined) return false;
	if (text.startsWith("k8s\0")) return text.includes("Status") && text.includes("Failure");
	try {
		const status = (text.startsWith("{") ? JSON.parse(text) : parse(text)) as Record<string, unknown>;
		return status["kind"] === "Status" && status["status"] === "Failure" && status["code"] === code;
	} catch {
		return false;
	}
}

/** Nothing that clients send may reach what all objects inherit. */
function checkPrototypes(problem: Report): void {
	for (const prototype of [Object.prototype, Array.prototype, Function.prototype]) {
		const found = Object.keys(prototype);
		if (found.length > 0) problem("a changed prototype", found.join(", "));
	}
}

function heapBytes(): number {
	globalThis.gc?.();
	return process.memoryUsage().heapUsed;
}

function shown({ method, path, query, headers, body, user }: FuzzedRequest): string {
	const text =
		body === undefined
			? ""
			: body.length > 1500
				? `${body.subarray(0, 1500).toString()}… (${body.length} bytes)`
				: body.toString();
	return `${method} ${path}${query === "" ? "" : `?${query}`} ${JSON.stringify(headers)} as ${user?.name ?? "nobody"} ${text}`;
}
