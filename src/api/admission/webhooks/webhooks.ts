/** The webhooks of a server: those of its configurations, as they change, and those of the embedding program. */
import type { MetricRegistry } from "../../../core/metrics/registry.ts";
import type { KubeObject } from "../../../core/object.ts";
import { mutatingWebhookConfigurations } from "../../../kinds/admissionregistration/mutatingwebhookconfiguration.ts";
import { validatingWebhookConfigurations } from "../../../kinds/admissionregistration/validatingwebhookconfiguration.ts";
import type { Kind } from "../../../kinds/engine/kind.ts";
import type { MutatingWebhook } from "../../../kinds/generated/types.ts";
import type { Reach } from "../../backends/agent.ts";
import { keyPrefix } from "../../cache/keys.ts";
import type { KindCache } from "../../cache/kind-cache.ts";
import type { AdmissionAttributes, Server } from "../../server/server.ts";
import { isExempt } from "../dynamic/matching.ts";
import { askMutating, askValidating, type Call } from "./dispatch.ts";
import { configuredWebhook, inProcessWebhook, type Webhook } from "./webhook.ts";
import { WebhookMetrics } from "./webhook-metrics.ts";

/** @param reach its cache must be filled */
export function webhookAdmission(reach: Reach, metrics: MetricRegistry): Server["webhooks"] {
	const { cache, clock } = reach;
	const counted = new WebhookMetrics(metrics, clock);
	const mutating = new Webhooks(reach, mutatingWebhookConfigurations, "mutating");
	const validating = new Webhooks(reach, validatingWebhookConfigurations, "validating");
	return {
		mutate(request) {
			const webhooks = mutating.list();
			if (webhooks.length === 0 || isExempt(request)) return undefined;
			const calls = callsOf(request, webhooks);
			return calls.length === 0 ? undefined : askMutating(request, calls, cache, counted);
		},
		validate(request) {
			const webhooks = validating.list();
			if (webhooks.length === 0 || isExempt(request)) return undefined;
			const calls = callsOf(request, webhooks).filter(({ webhook }) => webhook.matcher.selects(request, cache));
			return calls.length === 0 ? undefined : askValidating(request, calls, counted);
		},
		close() {
			mutating.close();
			validating.close();
		},
	};
}

function callsOf(request: AdmissionAttributes, webhooks: readonly Webhook[]): Call[] {
	const calls: Call[] = [];
	for (const [index, webhook] of webhooks.entries()) {
		const invocation = webhook.matcher.invocation(request);
		if (invocation !== undefined) calls.push({ webhook, invocation, index });
	}
	return calls;
}

/** An object of either kind of configuration. Validating webhooks have the fields of mutating ones but one. */
interface Configuration extends KubeObject {
	webhooks?: MutatingWebhook[];
}

/** All webhooks of one type, ordered by the name of their configuration, then by their place in it. */
class Webhooks {
	readonly #reach: Reach;
	readonly #configurations: KindCache<Configuration>;
	readonly #prefix: string;
	readonly #isMutating: boolean;
	readonly #own: readonly Webhook[];
	/** Of configurations, by the frozen objects that describe them. */
	#configured = new Map<Configuration, readonly Webhook[]>();
	#list: readonly Webhook[] = [];
	#readAt = -1;

	constructor(reach: Reach, kind: Kind<Configuration>, type: "mutating" | "validating") {
		this.#reach = reach;
		this.#configurations = reach.cache.resource(kind);
		this.#prefix = keyPrefix(kind);
		this.#isMutating = type === "mutating";
		const own = (reach.options.webhooks ?? []).filter((webhook) => webhook.type === type);
		this.#own = own.map((webhook) => inProcessWebhook(reach, webhook));
	}

	/** As the configurations are now. */
	list(): readonly Webhook[] {
		const { changeCount } = this.#configurations;
		if (changeCount !== this.#readAt) this.#read(changeCount);
		return this.#list;
	}

	#read(changeCount: number): void {
		const before = this.#configured;
		this.#configured = new Map();
		for (const { object } of this.#configurations.range(this.#prefix)) {
			this.#configured.set(object, before.get(object) ?? this.#compile(object));
			before.delete(object);
		}
		for (const webhooks of before.values()) for (const webhook of webhooks) webhook.close();
		this.#list = [...this.#own, ...[...this.#configured.values()].flat()];
		this.#readAt = changeCount;
	}

	#compile({ metadata, webhooks = [] }: Configuration): Webhook[] {
		return webhooks.map((webhook) => configuredWebhook(this.#reach, metadata.name, webhook, this.#isMutating));
	}

	close(): void {
		for (const webhooks of this.#configured.values()) for (const webhook of webhooks) webhook.close();
		this.#configured.clear();
	}
}
