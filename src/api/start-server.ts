import { describeBuild, describeHealth } from "../core/metrics/component.ts";
import { MetricRegistry } from "../core/metrics/registry.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { forEachKind, type Registry } from "../kinds/engine/registry.ts";
import { createAuthorizer } from "./access/authorizers.ts";
import { RolePolicy } from "./access/rbac/policy.ts";
import { tokenAuthenticators } from "./access/token-authenticators.ts";
import { createAdmission } from "./admission/admission.ts";
import { measuredAdmission } from "./admission/measured.ts";
import { mutatingPolicies } from "./admission/policies/mutating.ts";
import { validatingPolicies } from "./admission/policies/validating.ts";
import { webhookAdmission } from "./admission/webhooks/webhooks.ts";
import { createAudit } from "./audit/audit.ts";
import { WatchCache } from "./cache/cache.ts";
import type { Parser } from "./cache/cached.ts";
import { resourceName } from "./cache/keys.ts";
import type { TokenAuthenticator } from "./credentials/token-authenticator.ts";
import { createTokens } from "./credentials/tokens.ts";
import { Definitions } from "./custom/definitions.ts";
import { FlowControl } from "./flow-control/flow-control.ts";
import { countedAudit, countObjects, measureStoreFile, StoreMetrics } from "./metrics/server.ts";
import { Expiry } from "./mutate/expiry.ts";
import { healthChecks } from "./paths/health.ts";
import { defaultVersion } from "./paths/paths.ts";
import type { ApiOptions } from "./server/options.ts";
import type { Server } from "./server/server.ts";

/** As upstream: 400 requests that read and 200 that write. */
const defaultSeats = 600;

/**
 * The parts of an API server that the steps of a request share, with the store read.
 * @returns close: ends all watches; the store stays open
 */
export async function startServer(options: ApiOptions): Promise<{ server: Server; close(): void }> {
	const { store, clock, registry } = options;
	const [rarelyRead, stopSorting] = rarelyReadResources(registry);
	const cache = new WatchCache(store, clock, {
		eventLimit: options.watchHistory,
		historyBytes: options.watchHistoryBytes,
		rarelyRead,
		parsers: parsersOf(registry.all()),
	});
	await cache.start();
	const policy = new RolePolicy(cache);
	const metrics = options.metrics ?? new MetricRegistry();
	countObjects(metrics, registry, cache);
	if (options.storeFile !== undefined) measureStoreFile(metrics, options.wallClock ?? clock, options.storeFile);
	describeBuild(metrics, options.gitVersion ?? defaultVersion, () => options.build?.().gitCommit ?? "");
	describeHealth(metrics, healthChecks);
	const plugins = createAdmission(options.admissionPlugins, options.disabledAdmissionPlugins);
	const authenticators: TokenAuthenticator[] = [];
	const server: Server = {
		store,
		clock,
		registry,
		cache,
		tokens: createTokens(clock, options.serviceAccounts, options.apiAudiences),
		authenticators,
		webhooks: webhookAdmission({ cache, clock, options }, metrics),
		policies: { mutate: mutatingPolicies(cache), validate: validatingPolicies(cache) },
		admission: measuredAdmission(plugins, metrics, clock),
		authorizer: createAuthorizer({ cache, policy, allowsEverything: options.allowsEverything === true }),
		flowControl: new FlowControl({
			cache,
			clock: options.wallClock ?? clock,
			kinds: registry,
			seats: options.maxRequestsInFlight ?? defaultSeats,
			metrics,
		}),
		audit: options.audit && createAudit(countedAudit(options.audit, metrics), clock),
		metrics: { registry: metrics, store: new StoreMetrics(metrics, clock) },
		options,
	};
	authenticators.push(...tokenAuthenticators(server));
	const stopFollowing = [stopSorting, ...followKinds(server, options)];
	return {
		server,
		close() {
			for (const stop of stopFollowing) stop();
			policy.close();
			server.webhooks.close();
			server.flowControl.close();
			cache.close();
		},
	};
}

function parsersOf(kinds: readonly Kind[]): ReadonlyMap<string, Parser> {
	return new Map(kinds.flatMap((kind) => (kind.parseStored ? [[resourceName(kind), kind.parseStored]] : [])));
}

/** Events and records for later: they are encoded on request, because most are never read. */
function rarelyReadResources(registry: Registry): [ReadonlySet<string>, () => void] {
	const names = new Set<string>();
	const stop = forEachKind(registry, (kind) => {
		if (kind.ttlMs === undefined && !kind.readOnly) return undefined;
		names.add(resourceName(kind));
		return () => names.delete(resourceName(kind));
	});
	return [names, stop];
}

/** What comes and goes with kinds. Returns what ends it. */
function followKinds(server: Server, { registry }: ApiOptions): (() => void)[] {
	const definitions = new Definitions(server, registry);
	return [
		() => definitions.close(),
		forEachKind(registry, (kind) => {
			if (kind.ttlMs === undefined) return undefined;
			const expiry = new Expiry(server, kind, kind.ttlMs);
			return () => expiry.close();
		}),
		registry.onChange(({ removed }) => {
			for (const kind of removed) server.cache.endWatches(kind);
		}),
	];
}
