/** The API server as a function from request to response. This file is the list of what happens to a request. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiRequest, Handler } from "../core/exchange.ts";
import { describeBuild, describeHealth } from "../core/metrics/component.ts";
import { MetricRegistry } from "../core/metrics/registry.ts";
import type { RemoteResources } from "../kinds/apiregistration/remote-kind.ts";
import { forEachKind, type Registry } from "../kinds/engine/registry.ts";
import type { Secret, ServiceAccount } from "../kinds/generated/types.ts";
import { createAuthorizer } from "./access/authorizers.ts";
import { RolePolicy } from "./access/rbac/policy.ts";
import { tokenAuthenticators } from "./access/token-authenticators.ts";
import { createAdmission } from "./admission/admission.ts";
import { measuredAdmission } from "./admission/measured.ts";
import { mutatingPolicies } from "./admission/policies/mutating.ts";
import { validatingPolicies } from "./admission/policies/validating.ts";
import { webhookAdmission } from "./admission/webhooks/webhooks.ts";
import { Aggregator } from "./aggregation/aggregator.ts";
import { proxyTo } from "./aggregation/proxy.ts";
import { remoteResources } from "./aggregation/remote-resources.ts";
import { createAudit } from "./audit/audit.ts";
import { WatchCache } from "./cache/cache.ts";
import { resourceName } from "./cache/keys.ts";
import type { TokenAuthenticator } from "./credentials/token-authenticator.ts";
import { createTokens, secretClaims } from "./credentials/tokens.ts";
import { Definitions } from "./custom/definitions.ts";
import { FlowControl } from "./flow-control/flow-control.ts";
import { RequestMetrics } from "./metrics/requests.ts";
import { countedAudit, countObjects, StoreMetrics } from "./metrics/server.ts";
import { Expiry } from "./mutate/expiry.ts";
import { healthChecks } from "./paths/health.ts";
import { createPaths, defaultVersion } from "./paths/paths.ts";
import { compose, type Endpoint, found, type Step } from "./pipeline/pipeline.ts";
import {
	addHeaders,
	answer,
	audited,
	classify,
	identify,
	impersonate,
	measure,
	permit,
	prioritize,
	readInfo,
	receive,
	record,
	tell,
} from "./pipeline/steps.ts";
import { createFlows } from "./request/flow.ts";
import { serveResource } from "./serve.ts";
import type { ApiOptions } from "./server/options.ts";
import type { Server } from "./server/server.ts";
import type { WatchConnections } from "./sockets/serve-watch.ts";
import { upgrade } from "./sockets/upgrades/upgrade.ts";

export type { ApiOptions } from "./server/options.ts";

export interface Api {
	handle: Handler;
	/**
	 * A connection that asks to become something else: exec, attach, port-forward. Answers on the socket.
	 * @param connections where watches over WebSocket count
	 */
	upgrade(
		request: IncomingMessage,
		socket: Duplex,
		head: Uint8Array,
		user: ApiRequest["user"],
		connections?: WatchConnections,
	): Promise<void>;
	registry: Registry;
	/** What extension API servers serve. */
	remoteResources(): RemoteResources;
	/** A token of a service account that holds until the Secret it is for, or the account, is gone. */
	secretToken(account: ServiceAccount, secret: Secret): string;
	/** Ends all watches. The store stays open. */
	close(): Promise<void>;
}

/** As upstream: 400 requests that read and 200 that write. */
const defaultSeats = 600;

/** Reads the store and is ready to answer when it resolves. */
export async function createApi(options: ApiOptions): Promise<Api> {
	const { store, clock, registry } = options;
	const rarelyRead = new Set<string>();
	const stopFollowing = [
		forEachKind(registry, (kind) => {
			// Events and records for later are encoded on request, because most are never read.
			if (kind.ttlMs === undefined && !kind.readOnly) return undefined;
			rarelyRead.add(resourceName(kind));
			return () => rarelyRead.delete(resourceName(kind));
		}),
	];
	const cache = new WatchCache(store, clock, {
		eventLimit: options.watchHistory,
		historyBytes: options.watchHistoryBytes,
		rarelyRead,
	});
	const authenticators: TokenAuthenticator[] = [];
	await cache.start();
	const policy = new RolePolicy(cache);
	const metrics = options.metrics ?? new MetricRegistry();
	const requests = new RequestMetrics({ metrics, clock, wallClock: options.wallClock, kinds: registry });
	countObjects(metrics, registry, cache, options.storeBytes);
	describeBuild(metrics, options.gitVersion ?? defaultVersion, () => options.build?.().gitCommit ?? "");
	describeHealth(metrics, healthChecks);
	const server: Server = {
		store,
		clock,
		registry,
		cache,
		tokens: createTokens(clock, options.serviceAccounts, options.apiAudiences),
		authenticators,
		webhooks: webhookAdmission({ cache, clock, options }, metrics),
		policies: { mutate: mutatingPolicies(cache), validate: validatingPolicies(cache) },
		admission: measuredAdmission(
			createAdmission(options.admissionPlugins, options.disabledAdmissionPlugins),
			metrics,
			clock,
		),
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
	const definitions = new Definitions(server, registry);
	const aggregator = new Aggregator(server);
	stopFollowing.push(
		() => definitions.close(),
		() => aggregator.close(),
		forEachKind(registry, (kind) => {
			if (kind.ttlMs === undefined) return undefined;
			const expiry = new Expiry(server, kind, kind.ttlMs);
			return () => expiry.close();
		}),
		registry.onChange(({ removed }) => {
			for (const kind of removed) cache.endWatches(kind);
		}),
	);
	const maxRequestsInFlight = options.maxRequestsInFlight ?? 1000;
	const steps: readonly Step[] = [
		measure(requests),
		addHeaders,
		answer,
		...(server.audit === undefined ? [] : [audited(server.audit)]),
		readInfo,
		identify(server),
		...(server.audit === undefined ? [] : [record(server.audit)]),
		impersonate(server),
		...(options.onWrite === undefined ? [] : [tell(options.onWrite)]),
		classify(server.flowControl),
		permit(server),
		receive(createFlows(maxRequestsInFlight)),
		prioritize(server.flowControl, createFlows(maxRequestsInFlight)),
	];
	const pipeline = compose(steps, endpoint(server, aggregator));
	const handle: Handler = (request) =>
		pipeline({
			request,
			warnings: [],
			info: undefined,
			requester: undefined,
			user: undefined,
			traffic: undefined,
			isAllowed: false,
			audit: undefined,
		});

	return {
		handle,
		registry,
		remoteResources: () => remoteResources(aggregator.descriptions()),
		secretToken: (account, secret) => server.tokens.sign(secretClaims(server.tokens, account, secret)),
		upgrade: (request, socket, head, user, connections) =>
			upgrade(handle, { incoming: request, socket, head, user, connections }),
		async close() {
			for (const stop of stopFollowing) stop();
			policy.close();
			server.webhooks.close();
			server.flowControl.close();
			cache.close();
		},
	};
}

/** @throws ApiError synchronously for unknown paths, or in the promise */
function endpoint(server: Server, aggregator: Aggregator): Endpoint {
	const paths = createPaths(server, aggregator);
	return (exchange) => {
		const { request, warnings, audit } = exchange;
		const [info, user] = [found(exchange.info, "what is asked"), found(exchange.user, "who asks")];
		const context = { server, request, info, user, warnings, audit };
		const remote = aggregator.serverOf(info);
		if (remote !== undefined) return proxyTo(context, remote.isAvailable ? remote.backend : undefined);
		return info.resource === undefined ? paths(request, user) : serveResource(context);
	};
}
