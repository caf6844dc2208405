/** The API server as a function from a request to a response; `stepsOf` lists what happens to each. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiRequest, Handler } from "../core/exchange.ts";
import type { RemoteResources } from "../kinds/apiregistration/remote-kind.ts";
import type { KindSource, Registry } from "../kinds/engine/registry.ts";
import type { Secret, ServiceAccount } from "../kinds/generated/types.ts";
import { Aggregator } from "./aggregation/aggregator.ts";
import { proxyTo } from "./aggregation/proxy.ts";
import { remoteResources } from "./aggregation/remote-resources.ts";
import { secretClaims } from "./credentials/tokens.ts";
import { RequestMetrics } from "./metrics/requests.ts";
import { createPaths } from "./paths/paths.ts";
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
import { startServer } from "./start-server.ts";

export type { ApiOptions } from "./server/options.ts";

/** Bodies that are received, and connections that are opened, at the same time. */
const defaultFlows = 1000;

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
	/** Those of them that can be watched. */
	remoteKinds: KindSource;
	/** A token of a service account that holds until the Secret it is for, or the account, is gone. */
	secretToken(account: ServiceAccount, secret: Secret): string;
	/** Ends all watches. The store stays open. */
	close(): Promise<void>;
}

/** Reads the store and is ready to answer when it resolves. */
export async function createApi(options: ApiOptions): Promise<Api> {
	const { server, close } = await startServer(options);
	const aggregator = new Aggregator(server);
	const pipeline = compose(stepsOf(server), endpoint(server, aggregator));
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
		registry: options.registry,
		remoteResources: () => remoteResources(aggregator.descriptions()),
		remoteKinds: aggregator.kinds,
		secretToken: (account, secret) => server.tokens.sign(secretClaims(server.tokens, account, secret)),
		upgrade: (request, socket, head, user, connections) =>
			upgrade(handle, { incoming: request, socket, head, user, connections }),
		async close() {
			aggregator.close();
			close();
		},
	};
}

/** What every request passes, in this order. */
function stepsOf(server: Server): readonly Step[] {
	const { audit, options } = server;
	const limit = options.maxRequestsInFlight ?? defaultFlows;
	return [
		measure(requestMetrics(server)),
		addHeaders,
		answer,
		...(audit === undefined ? [] : [audited(audit)]),
		readInfo,
		identify(server),
		...(audit === undefined ? [] : [record(audit)]),
		impersonate(server),
		...(options.onWrite === undefined ? [] : [tell(options.onWrite)]),
		classify(server.flowControl),
		permit(server),
		receive(createFlows(limit)),
		prioritize(server.flowControl, createFlows(limit)),
	];
}

function requestMetrics({ metrics, clock, options, registry }: Server): RequestMetrics {
	return new RequestMetrics({ metrics: metrics.registry, clock, wallClock: options.wallClock, kinds: registry });
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
