/**
 * Makes one attempt to deliver one message: Secret, log, texts, request. Acts as the notification controller, who may
 * only read these.
 */
import type { Client } from "../../client/client.ts";
import { isReason, messageOf } from "../../core/errors.ts";
import type { Clock } from "../../core/time/clock.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { SecretKeySelector } from "../../kinds/generated/types.ts";
import type { Policy, Sink } from "../policies/policy.ts";
import { httpSinks, sinkAt } from "../sinks/list.ts";
import { firstOf, lastOf, type Message, plainText } from "../sinks/message.ts";
import { type Notification, titleOf } from "../sinks/notification.ts";
import type { SendRequest } from "../sinks/request.ts";
import type { Destinations } from "./destinations.ts";
import { HttpSender, reasonOf, SendError } from "./http.ts";
import { render, templateProblem, variablesOf } from "./template.ts";

export type Outcome =
	| { ok: true }
	/** `isFinal`: another attempt would give the same result. */
	| { ok: false; error: string; isFinal: boolean; retryAfterMs?: number };

export interface CourierParts {
	client: Client;
	clock: Clock;
	destinations: Destinations;
	/** Replaces the network. */
	send?: SendRequest | undefined;
}

const mostLogBytes = 8192;
const longestLine = 400;
const longestTitle = 300;
const longestText = 8000;
const mostUrlBytes = 4096;
/** Secrets and logs are cached for this time, and up to this number. */
const knownMs = 2000;
const mostKnown = 200;

export class Courier {
	readonly #parts: CourierParts;
	readonly #http: HttpSender;
	readonly #known = new Map<string, { untilMs: number; value: Promise<string> }>();

	constructor(parts: CourierParts) {
		this.#parts = parts;
		this.#http = new HttpSender(parts.destinations);
	}

	close(): void {
		this.#http.close();
	}

	async deliver(policy: Policy, sink: Sink, notification: Notification): Promise<Outcome> {
		const { clock } = this.#parts;
		// The receiver answers in real time: as for a disk, virtual time waits for it.
		const release = clock instanceof VirtualClock ? clock.hold() : undefined;
		try {
			const url = await this.#urlOf(policy.namespace, sink);
			const message = await this.#messageOf(policy, notification);
			return await this.#hand(policy, sink, url, message);
		} catch (error) {
			const text = error instanceof SendError ? error.message : reasonOf(error);
			return { ok: false, error: text, isFinal: false };
		} finally {
			release?.();
		}
	}

	/** The problems of a policy, one sentence each. */
	async problemsOf({ namespace, sinks, spec }: Policy): Promise<string[]> {
		const problems: string[] = [];
		for (const name of ["title", "text"] as const) {
			const problem = spec.template?.[name] && (await templateProblem(spec.template[name]));
			if (problem) problems.push(`template.${name}: ${problem}`);
		}
		for (const sink of sinks) {
			const found = await this.#urlOf(namespace, sink)
				.then(() => this.#keyOf(namespace, sink))
				.catch((error: unknown) => error);
			if (found instanceof Error)
				problems.push(`sink ${sink.name}: ${found instanceof SendError ? found.message : reasonOf(found)}`);
		}
		return problems;
	}

	async #hand(policy: Policy, sink: Sink, url: URL, message: Message): Promise<Outcome> {
		const { send, destinations } = this.#parts;
		const { notification, title } = message;
		if (sink.type === "email") {
			const { from, to } = sink;
			const text = plainText(message);
			if (send === undefined)
				await sendEmail(destinations, url, { from, to, subject: title, text, id: notification.id });
			else
				return outcomeOf(
					await send({
						sink: "email",
						url: `${url.protocol}//${url.host}`,
						headers: { from, to: to.join(", "), subject: title },
						body: text,
					}),
					url,
				);
			return { ok: true };
		}
		const type = sink.type === "auto" ? sinkAt(url) : sink.type;
		const request = await httpSinks[type](message, url, await this.#keyOf(policy.namespace, sink));
		if (send !== undefined) return outcomeOf(await send(request), url);
		const { status, retryAfterMs } = await this.#http.post(new URL(request.url), request.headers, request.body);
		return outcomeOf(status, url, retryAfterMs);
	}

	async #messageOf({ spec, namespace }: Policy, notification: Notification): Promise<Message> {
		const log = await this.#logOf(namespace, notification, spec.logLines ?? 0);
		const variables = variablesOf(notification, log);
		const { title, text } = spec.template ?? {};
		const rendered = async (template: string) =>
			render(template, variables).catch((error: unknown) => {
				throw new SendError(`the template cannot be rendered: ${messageOf(error).split("\n")[0]}`);
			});
		const line = title === undefined ? titleOf(notification) : await rendered(title);
		return {
			notification,
			title: firstOf(line.replace(/\s+/g, " ").trim(), longestTitle),
			...(text !== undefined && { text: firstOf((await rendered(text)).trim(), longestText) }),
			log,
			nowMs: this.#parts.clock.now(),
		};
	}

	/** The last lines of the log; empty if there is none (any more). */
	async #logOf(namespace: string, { run, log }: Notification, lines: number): Promise<string> {
		if (run === undefined || log === undefined || lines === 0) return "";
		const query = new URLSearchParams({ pod: log.pod, container: log.container, tailLines: String(lines) });
		const path = `/apis/history.coxswain.io/v1/namespaces/${namespace}/runs/${run}/log?${query}`;
		return this.#once(path, async () => {
			const answer = await this.#parts.client.raw("GET", path).catch(() => "");
			return typeof answer === "string" ? endOfLog(answer) : "";
		});
	}

	/** @throws SendError that does not reveal the Secret's contents */
	async #urlOf(namespace: string, sink: Sink): Promise<URL> {
		const text = await this.#secret(namespace, sink.url);
		const isEmail = sink.type === "email";
		const protocols = isEmail ? ["smtp:", "smtps:"] : ["http:", "https:"];
		const url = URL.canParse(text) && text.length <= mostUrlBytes ? new URL(text) : undefined;
		if (url === undefined || !protocols.includes(url.protocol) || url.hostname === "")
			throw new SendError(
				`key ${sink.url.key} of secret ${sink.url.name} has no URL that begins with ${protocols[1]}//`,
			);
		return url;
	}

	async #keyOf(namespace: string, sink: Sink): Promise<string | undefined> {
		if (!("key" in sink) || sink.key === undefined) return undefined;
		return (await this.#secret(namespace, sink.key)) || undefined;
	}

	#secret(namespace: string, { name = "", key, optional }: SecretKeySelector): Promise<string> {
		return this.#once(`${namespace}/${name}/${key}`, async () => {
			const secret = await this.#parts.client.get(secrets, { namespace, name }).catch((error: unknown) => {
				throw isReason(error, "NotFound") ? new SendError(`secret ${name} not found`) : error;
			});
			const value = secret.data?.[key];
			if (value === undefined && optional !== true) throw new SendError(`secret ${name} has no key ${key}`);
			return Buffer.from(value ?? "", "base64")
				.toString()
				.trim();
		});
	}

	/** Asks once for all concurrent callers. */
	#once(name: string, ask: () => Promise<string>): Promise<string> {
		const nowMs = this.#parts.clock.monotonicMs();
		const known = this.#known.get(name);
		if (known !== undefined && known.untilMs > nowMs) return known.value;
		if (this.#known.size >= mostKnown) this.#known.clear();
		const value = ask();
		this.#known.set(name, { untilMs: nowMs + knownMs, value });
		value.catch(() => this.#known.delete(name));
		return value;
	}
}

async function sendEmail(...args: Parameters<typeof import("./smtp.ts").sendEmail>): Promise<void> {
	const smtp = await import("./smtp.ts");
	await smtp.sendEmail(...args);
}

/** Status codes caused by the message, which stay the same; problems of the URL or the receiver may be fixed. */
const messageIsWrong = new Set([400, 405, 406, 411, 413, 414, 415, 422]);

function outcomeOf(status: number, { hostname }: URL, retryAfterMs?: number): Outcome {
	if (status >= 200 && status < 300) return { ok: true };
	const isFinal = messageIsWrong.has(status);
	return {
		ok: false,
		error: `${hostname} answered ${status}${status >= 300 && status < 400 ? ", which is not followed" : ""}`,
		isFinal,
		...(retryAfterMs !== undefined && { retryAfterMs }),
	};
}

/** A copy, because a substring retains the whole string: a single line may be megabytes, and some are cached. */
function endOfLog(text: string): string {
	const cut = text.split("\n").map((line) => firstOf(printable(line), longestLine));
	return Buffer.from(lastOf(cut.join("\n").trimEnd(), mostLogBytes)).toString();
}

/** Removes terminal colors and other control characters. */
function printable(line: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to go
	return line.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}
