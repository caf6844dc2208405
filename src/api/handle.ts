/** The API server as a function from request to response. This file is the list of what happens to a request. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiRequest, ApiResponse, Handler } from "../core/exchange.ts";
import { describeBuild, describeHealth } from "../core/metrics/component.ts";
import { MetricRegistry } from "../core/metrics/registry.ts";
import { checkTimeout } from "../core/query.ts";
import type { Registry } from "../kinds/engine/registry.ts";
import type { Secret, ServiceAccount } from "../kinds/generated/types.ts";
import { authenticate } from "./access/authenticate.ts";
import { authorize } from "./access/authorize.ts";
import { createAuthorizer } from "./access/authorizers.ts";
import { actingUser } from "./access/impersonate.ts";
import { RolePolicy } from "./access/rbac/policy.ts";
import type { TokenAuthenticator } from "./access/token-authenticator.ts";
import { tokenAuthenticators } from "./access/token-authenticators.ts";
import { createTokens, secretClaims } from "./access/tokens.ts";
import { createAdmission } from "./admission/admission.ts";
import { createAudit } from "./audit/audit.ts";
import type { AuditRecord } from "./audit/record.ts";
import { WatchCache } from "./cache/cache.ts";
import { resourceName } from "./cache/keys.ts";
import { serveComponentStatuses } from "./component-statuses.ts";
import { serveCustomResources } from "./custom-resources.ts";
import { Expiry } from "./expiry.ts";
import { createFlow } from "./flow.ts";
import { healthChecks } from "./health.ts";
import { RequestMetrics } from "./metrics/requests.ts";
import { countedAudit, countObjects, measuredAdmission, StoreMetrics } from "./metrics/server.ts";
import { checkWriteOptions } from "./mutate/write-options.ts";
import { createPaths, defaultVersion } from "./paths.ts";
import { parseRequestInfo, type Verb } from "./request-info.ts";
import { errorResponse } from "./respond.ts";
import { serveReview } from "./reviews.ts";
import type { ApiOptions, Context, Server } from "./server.ts";
import { createBinding } from "./subresources/binding.ts";
import { serveSubresource } from "./subresources/subresources.ts";
import { methodNotAllowed, noSuchResource, type Target, targetOf } from "./target.ts";
import { upgrade } from "./upgrade.ts";
import { serveUsage } from "./usage.ts";
import { create } from "./verbs/create.ts";
import { deleteCollection, deleteOne } from "./verbs/delete.ts";
import { get } from "./verbs/get.ts";
import { list } from "./verbs/list.ts";
import { patch } from "./verbs/patch.ts";
import { update } from "./verbs/update.ts";
import { watch } from "./verbs/watch.ts";
import { warningHeader } from "./warnings.ts";

export type { ApiOptions } from "./server.ts";

export interface Api {
	handle: Handler;
	/** A connection that asks to become something else: exec, attach, port-forward. Answers on the socket. */
	upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array, user: ApiRequest["user"]): Promise<void>;
	registry: Registry;
	/** A token of a service account that holds until the Secret it is for, or the account, is gone. */
	secretToken(account: ServiceAccount, secret: Secret): string;
	/** Ends all watches. The store stays open. */
	close(): Promise<void>;
}

/** Reads the store and is ready to answer when it resolves. */
export async function createApi(options: ApiOptions): Promise<Api> {
	const { store, clock, registry } = options;
	const shortLived = registry.all().filter(({ lifeMs }) => lifeMs !== undefined);
	// Events, and what the cluster writes down for later, is for those who may ask, and for most of it nobody does.
	const rarelyRead = new Set([...shortLived, ...registry.all().filter(({ readOnly }) => readOnly)].map(resourceName));
	const cache = new WatchCache(store, clock, {
		eventLimit: options.watchHistory,
		historyBytes: options.watchHistoryBytes,
		rarelyRead,
	});
	const authenticators: TokenAuthenticator[] = [];
	await cache.start();
	const policy = new RolePolicy(cache);
	const metrics = options.metrics ?? new MetricRegistry();
	const requests = new RequestMetrics({ metrics, clock, kinds: registry });
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
		admission: measuredAdmission(createAdmission(options.admissionPlugins), metrics, clock),
		authorizer: createAuthorizer({ cache, policy }),
		audit: options.audit && createAudit(countedAudit(options.audit, metrics), clock),
		metrics: { registry: metrics, store: new StoreMetrics(metrics, clock), requests },
		options,
	};
	authenticators.push(...tokenAuthenticators(server));
	const expiries = shortLived.map((kind) => new Expiry(server, kind, kind.lifeMs ?? 0));
	const paths = createPaths(server);
	const maxRequestsInFlight = options.maxRequestsInFlight ?? 1000;
	const flow = createFlow(maxRequestsInFlight);
	// Apart from the others: clients that send slowly must not keep out those whose requests are there.
	const receiving = createFlow(maxRequestsInFlight);

	const handle: Handler = async (request) => {
		let release: (() => void) | undefined;
		let audit: AuditRecord | undefined;
		const measured = requests.begin(request);
		try {
			const info = parseRequestInfo(request);
			measured.info = info;
			if (request.query.size > 0) checkTimeout(request.query.get("timeout"));
			const requester = await authenticate(server, request);
			measured.user = requester;
			audit = server.audit?.begin(request, info, requester);
			const user = await actingUser(server, requester, request.headers);
			if (user !== requester) audit?.actsAs(user);
			await authorize(server, user, info, audit);
			measured.allowed = true;
			if (request.receive !== undefined) {
				release = receiving.enter(false);
				request.body = { bytes: await request.receive() };
				release();
				// Should the next one refuse, this one has been left.
				release = undefined;
			}
			// Clients of the same process bound themselves, and the cluster's own parts must not wait for anyone outside.
			release = flow.enter(info.resource === undefined || request.peer === undefined);
			const context: Context = { server, request, info, user, warnings: [], audit };
			// decode → admit → validate → commit: in verbs/create.ts and verbs/write.ts
			const response = info.resource === undefined ? await paths(request, user) : await serveResource(context);
			withWarnings(response, context.warnings);
			return measured.answered(audit === undefined ? response : audit.answered(response));
		} catch (error) {
			const response = errorResponse(error);
			if (audit !== undefined) return measured.answered(audit.failed(response, error));
			const { info } = measured;
			if (response.status === 401 && info !== undefined) server.audit?.unknownUser(request, info, response);
			return measured.answered(response);
		} finally {
			release?.();
		}
	};

	return {
		handle,
		registry,
		secretToken: (account, secret) => server.tokens.sign(secretClaims(server.tokens, account, secret)),
		upgrade: (request, socket, head, user) => upgrade(server, handle, request, socket, head, user),
		async close() {
			for (const expiry of expiries) expiry.close();
			policy.close();
			cache.close();
		},
	};
}

const verbs: Readonly<Record<Verb, ((context: Context, target: Target) => Promise<ApiResponse>) | undefined>> = {
	get,
	list,
	watch,
	create,
	update,
	patch,
	delete: deleteOne,
	deletecollection: deleteCollection,
	other: undefined,
};

/** @throws ApiError at once for what is not served, or in the promise */
function serveResource(context: Context): Promise<ApiResponse> {
	const target = targetOf(context.server, context.info);
	if (target === undefined) return serveUnstored(context);
	const deprecation = target.served?.deprecation ?? target.kind.deprecation;
	if (deprecation !== undefined) context.warnings.push(deprecation);
	checkWriteOptions(context);
	if (target.subresource !== undefined) return serveSubresource(context, target);
	const { verb } = context.info;
	const serve = verbs[verb];
	if (serve === undefined) throw methodNotAllowed();
	if (target.kind.readOnly && verb !== "get" && verb !== "list" && verb !== "watch") throw methodNotAllowed();
	return serve(context, target);
}

/** Reviews, usage, no custom resources, and `bindings`, which is another name for the subresource of pods. */
function serveUnstored(context: Context): Promise<ApiResponse> {
	const { resource } = context.info;
	if (resource === undefined) throw noSuchResource();
	if (resource.group === "" && resource.plural === "bindings" && resource.namespace !== undefined)
		return createBinding(context, resource.namespace);
	const answer =
		serveReview(context, resource) ??
		serveUsage(context, resource) ??
		serveComponentStatuses(context, resource) ??
		serveCustomResources(context, resource);
	if (answer === undefined) throw noSuchResource();
	return answer;
}

function withWarnings(response: ApiResponse, warnings: readonly string[]): void {
	if (warnings.length > 0) response.headers["warning"] = warningHeader(warnings);
}
