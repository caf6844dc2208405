import { oneOf } from "../../core/validation/field-checks.ts";
import type { Kind } from "../engine/kind.ts";
import type { MutatingWebhookConfiguration } from "../generated/types.ts";
import { setWebhookDefaults, validateWebhooks, webhookConfiguration } from "./webhooks.ts";

export const mutatingWebhookConfigurations: Kind<MutatingWebhookConfiguration> = {
	...webhookConfiguration,
	kind: "MutatingWebhookConfiguration",
	plural: "mutatingwebhookconfigurations",
	singular: "mutatingwebhookconfiguration",
	schema: "MutatingWebhookConfiguration",

	setDefaults({ webhooks = [] }) {
		for (const webhook of webhooks) {
			setWebhookDefaults(webhook);
			webhook.reinvocationPolicy ??= "Never";
		}
	},
	validate: ({ webhooks = [] }) => [
		...validateWebhooks(webhooks),
		...webhooks.flatMap(({ reinvocationPolicy }, index) =>
			oneOf(reinvocationPolicy, ["IfNeeded", "Never"], `webhooks[${index}].reinvocationPolicy`),
		),
	],
};
