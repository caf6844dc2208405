/** The audit log's view of one request, from authentication to the response. */

import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import { type Clock, microTimestamp } from "../../core/time/clock.ts";
import { newUid } from "../../core/validation/uid.ts";
import type { Attributes } from "../request/authorizer.ts";
import { answeredContents, type Contents, sentContents, withoutManagedFields } from "./contents.ts";
import {
	type AuditEvent,
	auditUser,
	completeReference,
	objectReference,
	requestUri,
	responseStatus,
	sourceIPs,
	userAgentOf,
} from "./event.ts";
import { type AuditRule, type Level, levels, type Stage } from "./policy.ts";

/** The maximum length of an ID that a client gives its request. */
const idLimit = 128;
/** Subresources with long responses, whose start and end are recorded separately. */
const lasting = new Set(["attach", "exec", "proxy", "log", "portforward"]);

export class AuditRecord {
	readonly #request: ApiRequest;
	readonly #rule: AuditRule;
	readonly #clock: Clock;
	readonly #write: (event: AuditEvent) => void;
	readonly #event: AuditEvent;
	readonly #lasts: boolean;
	#isOver = false;

	constructor(
		request: ApiRequest,
		attributes: Attributes,
		user: User | undefined,
		{ rule, clock, write }: { rule: AuditRule; clock: Clock; write(event: AuditEvent): void },
	) {
		this.#request = request;
		this.#rule = rule;
		this.#clock = clock;
		this.#write = write;
		const { verb, resource } = attributes;
		this.#lasts = verb === "watch" || lasting.has(resource?.subresource ?? "");
		const received = microTimestamp(clock.now());
		const userAgent = userAgentOf(request);
		const objectRef = objectReference(attributes);
		this.#event = {
			kind: "Event",
			apiVersion: "audit.k8s.io/v1",
			level: rule.level,
			auditID: request.headers["audit-id"]?.slice(0, idLimit) || newUid(clock),
			stage: "RequestReceived",
			requestURI: requestUri(request),
			verb,
			user: user === undefined ? { username: "" } : auditUser(user),
			sourceIPs: sourceIPs(request),
			...(userAgent !== undefined && { userAgent }),
			...(objectRef !== undefined && { objectRef }),
			requestReceivedTimestamp: received,
			stageTimestamp: received,
		};
	}

	/**
	 * A note, such as why the request was admitted; a name's first value stays.
	 * @param from the level of records that have it: contents of objects belong into fewer than facts
	 */
	annotate(name: string, value: string, from: Level = "Metadata"): void {
		if (levels.indexOf(this.#rule.level) < levels.indexOf(from)) return;
		this.#event.annotations ??= {};
		if (!Object.hasOwn(this.#event.annotations, name)) this.#event.annotations[name] = value;
	}

	received(): void {
		this.#tell("RequestReceived");
	}

	/** Authentication failed: nothing else is known. @param how the method that was tried, such as `bearer` */
	unknownUser(response: ApiResponse, how: string): void {
		this.#event.responseStatus = {
			metadata: {},
			message: `Authentication failed, attempted: ${how}`,
			code: response.status,
		};
		this.#tell("ResponseStarted");
	}

	actsAs(user: User): void {
		this.#event.impersonatedUser = auditUser(user);
	}

	/** Returns the response to send instead of this one. */
	answered(response: ApiResponse): ApiResponse {
		response.headers["audit-id"] = this.#event.auditID;
		this.#event.responseStatus = responseStatus(response, this.#event.verb);
		this.#addContents(response);
		if (this.#lasts || response.type !== "object") this.#tell("ResponseStarted");
		if (response.type === "object") {
			this.#complete();
			return response;
		}
		if (response.type === "stream") return { ...response, body: this.#followed(response.body) };
		const { signal } = this.#request;
		if (signal.aborted) this.#complete();
		else signal.addEventListener("abort", () => this.#complete(), { once: true });
		if (response.type === "connection") return response;
		return {
			...response,
			start: (sink) =>
				response.start({
					event: sink.event,
					end: (error) => {
						this.#complete();
						sink.end(error);
					},
				}),
		};
	}

	/** The request failed. @param error an unexpected one is a panic */
	failed(response: ApiResponse, error: unknown): ApiResponse {
		if (error instanceof ApiError) return this.answered(response);
		response.headers["audit-id"] = this.#event.auditID;
		this.#event.responseStatus = responseStatus(response, this.#event.verb);
		this.#isOver = true;
		this.#tell("Panic");
		return response;
	}

	async *#followed(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		try {
			yield* body;
		} finally {
			this.#complete();
		}
	}

	#addContents(response: ApiResponse): void {
		const { objectRef } = this.#event;
		const level = levels.indexOf(this.#rule.level);
		if (level >= levels.indexOf("Request")) {
			const sent = sentContents(this.#request);
			this.#event.requestObject = this.#kept(sent);
			if (objectRef !== undefined && typeof sent === "object")
				completeReference(objectRef, sent.value, ["namespace", "name", "uid", "resourceVersion"]);
		}
		// A generated name is only known from the response.
		if (objectRef !== undefined && response.type === "object" && response.status === 201)
			completeReference(objectRef, response.object, ["name"]);
		if (level >= levels.indexOf("RequestResponse")) this.#event.responseObject = this.#kept(answeredContents(response));
	}

	#kept(contents: Contents): unknown {
		if (contents === "tooLong") {
			this.annotate("audit.k8s.io/truncated", "true");
			return undefined;
		}
		return this.#rule.omitManagedFields ? withoutManagedFields(contents?.value) : contents?.value;
	}

	#complete(): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.#tell("ResponseComplete");
	}

	#tell(stage: Stage): void {
		if (this.#rule.omitStages.includes(stage)) return;
		const { annotations } = this.#event;
		const stageTimestamp = stage === "RequestReceived" ? this.#event.stageTimestamp : microTimestamp(this.#clock.now());
		this.#write({ ...this.#event, stage, stageTimestamp, ...(annotations && { annotations: { ...annotations } }) });
	}
}
