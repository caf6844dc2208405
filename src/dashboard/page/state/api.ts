/** Requests to the API server, as the session's user. */
import { sessionHeader } from "./session.ts";

/** What the API server answers to a request that it refuses. */
export class Refusal extends Error {
	readonly status: number;

	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

export type Patch = { merge: object } | { strategic: object };

/** @throws Refusal */
export async function get(path: string): Promise<unknown> {
	return (await send("GET", path)).json();
}

/** @throws Refusal */
export async function post(path: string, body: object): Promise<unknown> {
	return (await send("POST", path, JSON.stringify(body))).json();
}

/** @throws Refusal */
export async function put(path: string, body: object): Promise<unknown> {
	return (await send("PUT", path, JSON.stringify(body))).json();
}

/** @throws Refusal */
export async function patch(path: string, change: Patch): Promise<void> {
	const [kind, body] = "merge" in change ? ["merge", change.merge] : ["strategic-merge", change.strategic];
	await send("PATCH", path, JSON.stringify(body), `application/${kind}-patch+json`);
}

/** Server-side apply. @throws Refusal */
export async function applyPatch(path: string, manifest: object): Promise<void> {
	await send("PATCH", path, JSON.stringify(manifest), "application/apply-patch+yaml");
}

/** @throws Refusal */
export async function remove(path: string): Promise<void> {
	await send("DELETE", path);
}

/**
 * The lines of a log, as they come, until it ends or the signal aborts.
 * @throws Refusal
 */
export async function* lines(path: string, signal: AbortSignal): AsyncGenerator<string[]> {
	const response = await send("GET", path, undefined, undefined, signal);
	if (response.body === null) return;
	let rest = "";
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	for (;;) {
		const { value, done } = await reader.read();
		if (done) break;
		const parts = (rest + value).split("\n");
		rest = parts.pop() ?? "";
		if (parts.length > 0) yield parts;
	}
	if (rest !== "") yield [rest];
}

async function send(
	method: string,
	path: string,
	body?: string,
	type = "application/json",
	signal?: AbortSignal,
): Promise<Response> {
	const response = await fetch(`/k8s${path}`, {
		method,
		...(body !== undefined && { body }),
		...(signal !== undefined && { signal }),
		headers: {
			accept: "application/json",
			...sessionHeader(),
			...(body !== undefined && { "content-type": type }),
		},
	});
	if (response.ok) return response;
	const text = await response.text();
	throw new Refusal(response.status, messageIn(text));
}

function messageIn(text: string): string {
	try {
		const { message } = JSON.parse(text) as { message?: string };
		return message ?? text;
	} catch {
		return text;
	}
}
