/** One webhook: from a configuration in the cluster, or a function of the embedding program. */
import { ApiError, messageOf, type Status } from "../../../core/errors.ts";
import type { MutatingWebhook } from "../../../kinds/generated/types.ts";
import type { Reach } from "../../backends/agent.ts";
import { WebhookClient } from "../../backends/webhook-client.ts";
import type { AdmissionRequest, AdmissionResponse, InProcessWebhook } from "../../server/admission-review.ts";
import { compileConditions } from "../dynamic/conditions.ts";
import { type Matcher, matcher } from "../dynamic/matching.ts";
import { readResponse } from "./response.ts";

export interface Webhook {
	/** Name of its configuration, and of the webhook in it. */
	readonly configuration: string;
	readonly name: string;
	/** Unique. */
	readonly id: string;
	/** A failed call lets the request through. */
	readonly failsOpen: boolean;
	/** May be called for dry runs. */
	readonly supportsDryRun: boolean;
	/** Is called again if the object changes after it. */
	readonly isReinvocable: boolean;
	readonly matcher: Matcher;
	/** Undefined where it has none. */
	readonly conditions: ReturnType<typeof compileConditions>;
	/** @throws Error with the reason why there is no response */
	ask(request: AdmissionRequest, signal: AbortSignal): Promise<AdmissionResponse>;
	close(): void;
}

/** @param config validated, with its defaults; a validating webhook has no `reinvocationPolicy` */
export function configuredWebhook(
	reach: Reach,
	configuration: string,
	config: MutatingWebhook,
	isMutating: boolean,
): Webhook {
	const { name, rules = [], sideEffects, timeoutSeconds = 10, admissionReviewVersions } = config;
	const version = admissionReviewVersions.find((candidate) => candidate === "v1" || candidate === "v1beta1") ?? "v1";
	// Many configurations never match a request.
	let client: WebhookClient | undefined;
	return {
		configuration,
		name,
		id: `${configuration}/${name}`,
		failsOpen: config.failurePolicy === "Ignore",
		supportsDryRun: sideEffects === "None" || sideEffects === "NoneOnDryRun",
		isReinvocable: config.reinvocationPolicy === "IfNeeded",
		matcher: matcher({ ...config, rules }),
		conditions: compileConditions(config.matchConditions),
		async ask(request, signal) {
			client ??= new WebhookClient(reach, config.clientConfig);
			const called = client;
			const review = { kind: "AdmissionReview", apiVersion: `admission.k8s.io/${version}`, request };
			const body = await failing("failed to call webhook", () =>
				called.post(Buffer.from(JSON.stringify(review)), timeoutSeconds * 1000, signal),
			);
			return failing("received invalid webhook response", () => readResponse(body, request.uid, version, isMutating));
		},
		close: () => client?.close(),
	};
}

async function failing<T>(what: string, work: () => T | Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		throw new Error(`${what}: ${messageOf(error)}`);
	}
}

/** @param config of the program that runs the cluster: what it leaves out has the API's defaults */
export function inProcessWebhook({ options, clock }: Reach, config: InProcessWebhook): Webhook {
	const { name, handle, timeoutSeconds = 10, failurePolicy = "Fail", rules } = config;
	return {
		configuration: "in-process",
		name,
		id: `in-process/${name}`,
		failsOpen: failurePolicy === "Ignore",
		supportsDryRun: true,
		isReinvocable: config.reinvocationPolicy === "IfNeeded",
		matcher: matcher({ ...config, rules }),
		conditions: undefined,
		async ask(request) {
			const answering = handle(request);
			if (!(answering instanceof Promise)) return responseOf(answering);
			return responseOf(await within(options.wallClock ?? clock, timeoutSeconds * 1000, answering));
		},
		close() {},
	};
}

function responseOf(answer: Awaited<ReturnType<InProcessWebhook["handle"]>>): AdmissionResponse {
	return { allowed: true, ...answer };
}

function within<T>(clock: Reach["clock"], timeoutMs: number, answering: Promise<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = clock.after(timeoutMs, () => reject(new Error("context deadline exceeded")));
		answering.then(resolve, reject).finally(() => timer.cancel());
	});
}

/** A webhook has denied a request. Its response may have any code and reason. */
export class Denied extends ApiError {
	readonly #code: number;
	readonly #reason: string;

	constructor({ name }: Webhook, { status = {} }: AdmissionResponse) {
		const { code = 0, message = "", reason = "", details } = status;
		const why = message !== "" ? `: ${message}` : reason !== "" ? `: ${reason}` : " without explanation";
		super("Forbidden", `admission webhook "${name}" denied the request${why}`, details);
		this.#code = Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400;
		this.#reason = reason;
	}

	override get code(): number {
		return this.#code;
	}

	override toStatus(): Status {
		const { reason: _, ...status } = super.toStatus();
		// Webhooks may use other reasons than this server.
		return this.#reason === "" ? status : { ...status, reason: this.#reason };
	}
}
