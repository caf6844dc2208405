/** What mutating and validating webhooks have in common. */
import type { Cause } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { duplicate, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import type { ValidatingWebhook } from "../generated/types.ts";
import { setClientConfigDefaults, validateClientConfig } from "./client-config.ts";
import { validateMatchConditions } from "./match-conditions.ts";
import { setRuleDefaults, validateRule } from "./rules.ts";

/** Fields that both sorts have. */
type Webhook = ValidatingWebhook;

/** A configuration of either sort. */
export interface WebhookConfiguration extends KubeObject {
	webhooks?: Webhook[];
}

/** Versions of AdmissionReview that the server speaks, the best first. */
export const reviewVersions = ["v1", "v1beta1"] as const;

/** How long a webhook has, in seconds, unless it says. */
const defaultTimeoutSeconds = 10;
const sideEffects = ["None", "NoneOnDryRun"];

export function setWebhookDefaults(webhook: Webhook): void {
	webhook.failurePolicy ??= "Fail";
	webhook.matchPolicy ??= "Equivalent";
	webhook.namespaceSelector ??= {};
	webhook.objectSelector ??= {};
	webhook.timeoutSeconds ??= defaultTimeoutSeconds;
	setRuleDefaults(webhook.rules);
	setClientConfigDefaults(webhook.clientConfig);
}

export function validateWebhooks(webhooks: readonly Webhook[] = []): Cause[] {
	const names = new Set<string>();
	return webhooks.flatMap((webhook, index) => {
		const path = `webhooks[${index}]`;
		const causes = [
			...validateWebhook(webhook, path),
			...validateReviewVersions(webhook.admissionReviewVersions, `${path}.admissionReviewVersions`),
		];
		if (webhook.name !== "" && names.has(webhook.name)) causes.push(duplicate(`${path}.name`, webhook.name));
		names.add(webhook.name);
		return causes;
	});
}

function validateWebhook(webhook: Webhook, path: string): Cause[] {
	const { name, rules = [], failurePolicy, matchPolicy, timeoutSeconds } = webhook;
	const causes = [
		...fullyQualified(name, `${path}.name`),
		...rules.flatMap((rule, index) => validateRule(rule, `${path}.rules[${index}]`)),
	];
	const oneOf = (field: string, value: string | undefined, supported: readonly string[]) => {
		if (value !== undefined && !supported.includes(value))
			causes.push(notSupported(`${path}.${field}`, value, supported));
	};
	oneOf("failurePolicy", failurePolicy, ["Fail", "Ignore"]);
	oneOf("matchPolicy", matchPolicy, ["Equivalent", "Exact"]);
	// The decoder has put an empty text in the place of a field that is required.
	if (webhook.sideEffects === undefined || webhook.sideEffects === "")
		causes.push(required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(", ")}`));
	else oneOf("sideEffects", webhook.sideEffects, sideEffects);
	if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30))
		causes.push(
			invalidValue(`${path}.timeoutSeconds`, timeoutSeconds, "the timeout value must be between 1 and 30 seconds"),
		);
	causes.push(
		...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
		...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
		...validateClientConfig(webhook.clientConfig, `${path}.clientConfig`),
		...validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`),
	);
	return causes;
}

function fullyQualified(name: string, path: string): Cause[] {
	if (name === "") return [required(path)];
	const problems = dnsSubdomainProblems(name);
	if (problems.length > 0) return invalidEach(path, name, problems);
	if (name.split(".").length < 3)
		return [invalidValue(path, name, "should be a domain with at least three segments separated by dots")];
	return [];
}

function validateReviewVersions(versions: readonly string[] = [], path: string): Cause[] {
	const known: readonly string[] = reviewVersions;
	if (versions.length === 0) return [required(path, `must specify one of ${known.join(", ")}`)];
	const causes: Cause[] = [];
	for (const [index, version] of versions.entries()) {
		if (versions.indexOf(version) < index) causes.push(invalidValue(`${path}[${index}]`, version, "duplicate version"));
		else causes.push(...invalidEach(`${path}[${index}]`, version, dnsLabelProblems(version)));
	}
	if (!versions.some((version) => known.includes(version)))
		causes.push(invalidValue(path, versions, `must include at least one of ${known.join(", ")}`));
	return causes;
}

/** What the kinds of both configurations have in common. */
export const webhookConfiguration = {
	group: "admissionregistration.k8s.io",
	version: "v1",
	shortNames: [],
	categories: ["api-extensions"],
	namespaced: false,
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column(
			"Webhooks",
			"How many webhooks the configuration has.",
			({ webhooks = [] }: WebhookConfiguration) => webhooks.length,
			"integer",
		),
		ageColumn,
	],
} as const satisfies Partial<Kind<WebhookConfiguration>>;
