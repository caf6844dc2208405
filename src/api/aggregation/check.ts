/** Checks an extension API server: its service, the endpoints, and a request for discovery. */
import { messageOf } from "../../core/errors.ts";
import type { Availability } from "../../kinds/apiregistration/availability.ts";
import type { APIService, EndpointSlice, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import { reasonOf } from "../backends/webhook-client.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { Server } from "../server/server.ts";
import { ask } from "./ask.ts";
import type { Backend } from "./backend.ts";

const timeoutMs = 5000;
/** Concurrent attempts: endpoints are chosen at random, and one response suffices. */
const attempts = 5;

/** Reasons and messages are upstream's. */
export async function checked(server: Server, apiService: APIService, backend: Backend): Promise<Availability> {
	const { namespace, name, port } = backend.service;
	const what = `service/${name} in ${JSON.stringify(namespace)}`;
	const service = server.cache.find(services, namespace, name);
	if (service === undefined) return no("ServiceNotFound", `${what} is not present`);
	if (service.spec.type === "ClusterIP") {
		const found = service.spec.ports?.find((one) => one.port === port);
		if (found === undefined) return no("ServicePortError", `${what} is not listening on port ${port}`);
		const slices = slicesOf(server, service);
		if (slices.length === 0) return no("EndpointsNotFound", `cannot find endpointslices for ${what}`);
		const { name: portName = "" } = found;
		if (!slices.some((slice) => hasEndpoint(slice, portName)))
			return no(
				"MissingEndpoints",
				`endpointslices for ${what} have no addresses with port name ${JSON.stringify(portName)}`,
			);
	}
	const path = pathOf(apiService);
	const enough = new AbortController();
	try {
		await Promise.any(Array.from({ length: attempts }, () => askDiscovery(server, backend, path, enough.signal)));
	} catch (error) {
		const [first] = error instanceof AggregateError ? error.errors : [error];
		const url = `${backend.origin}${path}`;
		return no("FailedDiscoveryCheck", `failing or missing response from ${url}: ${messageOf(first)}`);
	} finally {
		enough.abort();
	}
	return { status: "True", reason: "Passed", message: "all checks passed" };
}

function no(reason: string, message: string): Availability {
	return { status: "False", reason, message };
}

function pathOf({ spec: { group = "", version = "" } }: APIService): string {
	return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

function slicesOf(server: Server, { metadata }: Service): EndpointSlice[] {
	const range = server.cache.resource(endpointSlices).range(keyPrefix(endpointSlices, metadata.namespace));
	return [...range]
		.map(({ object }) => object)
		.filter(({ metadata: { labels } }) => labels?.["kubernetes.io/service-name"] === metadata.name);
}

function hasEndpoint({ endpoints = [], ports = [] }: EndpointSlice, portName: string): boolean {
	const isReady = endpoints.some(({ conditions }) => conditions?.ready !== false);
	return isReady && ports.some(({ name = "", port }) => name === portName && port !== undefined);
}

/** @throws Error with the problem of the response, or the reason why there is none */
async function askDiscovery(server: Server, backend: Backend, path: string, signal: AbortSignal): Promise<void> {
	const url = `${backend.origin}${path}`;
	const { status } = await ask(server, backend, { path, timeoutMs, most: 0, signal }).catch((error: unknown) => {
		throw new Error(`Get ${JSON.stringify(url)}: ${reasonOf(error)}`);
	});
	if (status < 200 || status > 299) throw new Error(`bad status from ${url}: ${status}`);
}
