import type { Kind } from "../engine/kind.ts";
import type { ValidatingWebhookConfiguration } from "../generated/types.ts";
import { setWebhookDefaults, validateWebhooks, webhookConfiguration } from "./webhooks.ts";

export const validatingWebhookConfigurations: Kind<ValidatingWebhookConfiguration> = {
	...webhookConfiguration,
	kind: "ValidatingWebhookConfiguration",
	plural: "validatingwebhookconfigurations",
	singular: "validatingwebhookconfiguration",
	schema: "ValidatingWebhookConfiguration",

	setDefaults({ webhooks }) {
		webhooks?.forEach(setWebhookDefaults);
	},
	validate: ({ webhooks }) => validateWebhooks(webhooks),
};
