/** Calls webhooks: mutating ones one after the other, validating ones concurrently. */
import { ApiError, messageOf } from "../../../core/errors.ts";
import type { WatchCache } from "../../cache/cache.ts";
import type { AdmissionResponse } from "../../server/admission-review.ts";
import { refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { activationOf } from "../dynamic/activation.ts";
import { admissionRequest } from "../dynamic/admission-request.ts";
import { type Invocation, internalError } from "../dynamic/matching.ts";
import { applyMutation } from "../dynamic/mutation.ts";
import { asked, beginRound, endRound, isAsked } from "../dynamic/reinvocation.ts";
import { type Views, viewIn, viewOf, viewsOf } from "../dynamic/view.ts";
import { Denied, type Webhook } from "./webhook.ts";
import type { WebhookMetrics } from "./webhook-metrics.ts";

/** A webhook that is to be called. @param index among all webhooks of its type */
export interface Call {
	webhook: Webhook;
	invocation: Invocation;
	index: number;
}

/** Upstream's prefixes of annotations in the audit log. */
const annotations = {
	mutating: "mutation.webhook.admission.k8s.io",
	validating: "validating.webhook.admission.k8s.io",
	patch: "patch.webhook.admission.k8s.io",
} as const;
/** In characters. Longer ones are omitted, as longer bodies are. */
const longestPatch = 1_000_000;

/** @param calls those whose rules match; selectors are evaluated when it is their turn */
export async function askMutating(
	request: AdmissionAttributes,
	calls: readonly Call[],
	cache: WatchCache,
	metrics: WebhookMetrics,
): Promise<void> {
	const reinvocation = beginRound(request);
	const round = reinvocation.isUnderWay ? 1 : 0;
	for (const call of calls) {
		const { webhook, invocation } = call;
		if (!isAsked(reinvocation, webhook.id)) continue;
		if (!webhook.matcher.selects(request, cache)) continue;
		const view = await viewOf(request, invocation);
		if (!meetsConditions(view, call)) continue;
		const answer = await ask(view, call, "mutating", round, metrics);
		const patch = answer?.patch ?? [];
		const changed = patch.length > 0 && (await applyMutation(request, view, invocation, webhook.name, patch));
		annotate(request, call, round, changed, patch);
		asked(reinvocation, webhook.id, changed, webhook.isReinvocable);
	}
	endRound(request, reinvocation);
}

/** Whether it has changed the object is metadata; the patch is content. */
function annotate(
	{ audit }: AdmissionAttributes,
	{ webhook, index }: Call,
	round: number,
	mutated: boolean,
	patch: readonly unknown[],
): void {
	if (audit === undefined) return;
	const told = { configuration: webhook.configuration, webhook: webhook.name };
	const place = `round_${round}_index_${index}`;
	audit.annotate(`${annotations.mutating}/${place}`, JSON.stringify({ ...told, mutated }));
	if (patch.length === 0) return;
	const text = JSON.stringify({ ...told, patch, patchType: "JSONPatch" });
	if (text.length <= longestPatch) audit.annotate(`${annotations.patch}/${place}`, text, "Request");
}

/**
 * Whether the conditions of a webhook hold.
 * @param request in the version of the call
 * @throws ApiError Forbidden for conditions that cannot be evaluated, where the webhook's failure policy is to fail
 */
function meetsConditions(request: AdmissionAttributes, { webhook, invocation }: Call): boolean {
	const outcome = webhook.conditions?.(activationOf(request, invocation));
	if (outcome === undefined) return true;
	if (outcome.error === undefined) return outcome.matches;
	if (webhook.failsOpen) return false;
	throw refused(request, outcome.error);
}

/** @param calls those whose rules match, and whose selectors do */
export function askValidating(
	request: AdmissionAttributes,
	calls: readonly Call[],
	metrics: WebhookMetrics,
): Promise<void> | undefined {
	const askChosen = (views: Views) => {
		const shown = calls.map((call) => ({ call, view: viewIn(views, call.invocation) }));
		const chosen = shown.filter(({ call, view }) => meetsConditions(view, call));
		return chosen.length === 0 ? undefined : askAll(chosen, metrics);
	};
	const views = viewsOf(
		request,
		calls.map(({ invocation }) => invocation),
	);
	return views instanceof Promise ? views.then(askChosen) : askChosen(views);
}

async function askAll(
	calls: readonly { call: Call; view: AdmissionAttributes }[],
	metrics: WebhookMetrics,
): Promise<void> {
	const asked = calls.map(({ call, view }) => ask(view, call, "validating", 0, metrics));
	const outcomes = await Promise.allSettled(asked);
	for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/**
 * @param request in the version of the call
 * @returns undefined when the webhook failed and its policy is to ignore that
 * @throws ApiError when it does not admit the request, or failed
 */
async function ask(
	request: AdmissionAttributes,
	{ webhook, invocation, index }: Call,
	type: "mutating" | "validating",
	round: number,
	metrics: WebhookMetrics,
): Promise<AdmissionResponse | undefined> {
	const { name } = webhook;
	if (request.dryRun && !webhook.supportsDryRun)
		throw new ApiError("BadRequest", `admission webhook "${name}" does not support dry run`);
	const measured = metrics.begin(webhook, type, request.operation);
	let answer: AdmissionResponse;
	try {
		answer = await webhook.ask(admissionRequest(request, invocation), request.signal());
	} catch (error) {
		const why = `failed calling webhook "${name}": ${messageOf(error)}`;
		measured.failed(webhook.failsOpen);
		if (!webhook.failsOpen) throw internalError(why);
		request.audit?.annotate(`failed-open.${annotations[type]}/round_${round}_index_${index}`, name);
		return undefined;
	}
	for (const [key, value] of Object.entries(answer.auditAnnotations ?? {}))
		request.audit?.annotate(`${name}/${key}`, value);
	for (const warning of answer.warnings ?? []) request.warnings.push(warning);
	if (answer.allowed) {
		measured.answered(200);
		return answer;
	}
	const denied = new Denied(webhook, answer);
	measured.denied(denied.code);
	throw denied;
}
