/** The steps of the pipeline. `handle.ts` has the list. */
import type { ApiResponse } from "../../core/exchange.ts";
import { checkTimeout } from "../../core/selection/query.ts";
import { authenticate } from "../access/authenticate.ts";
import { authorize } from "../access/authorize.ts";
import { actingUser } from "../access/impersonate.ts";
import type { Audit } from "../audit/audit.ts";
import type { FlowControl } from "../flow-control/flow-control.ts";
import type { RequestMetrics } from "../metrics/requests.ts";
import { isProbe } from "../paths/health.ts";
import type { Flows } from "../request/flow.ts";
import { parseRequestInfo } from "../request/request-info.ts";
import type { AnsweredWrite } from "../server/options.ts";
import type { Server } from "../server/server.ts";
import { passesOn } from "../subresources/subresources.ts";
import { encodeAnswer } from "../wire/encode-answer.ts";
import { errorResponse } from "../wire/respond.ts";
import { warningHeader } from "../wire/warnings.ts";
import { before, found, type Step } from "./pipeline.ts";

/** Counts, around everything else. */
export function measure(metrics: RequestMetrics): Step {
	return (exchange, next) => {
		const measured = metrics.begin(exchange);
		return next(exchange).then((response) => measured.answered(response));
	};
}

/** A failure is an answer with a Status. What is not encoded yet is encoded as the client accepts it. */
export const answer: Step = async (exchange, next) => {
	const { accept } = exchange.request.headers;
	try {
		return encodeAnswer(await next(exchange), accept);
	} catch (error) {
		return encodeAnswer(errorResponse(error), accept);
	}
};

/** Completes the records of the audit log, and records failed authentication. */
export function audited(audit: Audit): Step {
	return async (exchange, next) => {
		try {
			const response = await next(exchange);
			return exchange.audit === undefined ? response : exchange.audit.answered(response);
		} catch (error) {
			const response = errorResponse(error);
			if (exchange.audit !== undefined) return exchange.audit.failed(response, error);
			const { request, info } = exchange;
			if (response.status === 401 && info !== undefined) audit.unknownUser(request, info, response);
			return response;
		}
	};
}

/** Parses the request. @throws ApiError BadRequest */
export const readInfo: Step = before((exchange) => {
	const { request } = exchange;
	exchange.info = parseRequestInfo(request);
	if (request.query.size > 0) checkTimeout(request.query.get("timeout"));
	return undefined;
});

/** Authentication. @throws ApiError Unauthorized */
export function identify(server: Server): Step {
	return before((exchange) => {
		const requester = authenticate(server, exchange.request);
		if (!(requester instanceof Promise)) {
			exchange.requester = requester;
			return undefined;
		}
		return requester.then((user) => {
			exchange.requester = user;
		});
	});
}

/** Starts the record of an authenticated request. */
export function record(audit: Audit): Step {
	return before((exchange) => {
		const { request, info, requester } = exchange;
		exchange.audit = audit.begin(request, found(info, "what is asked"), found(requester, "who asks"));
		return undefined;
	});
}

/** Impersonation. @throws ApiError Forbidden */
export function impersonate(server: Server): Step {
	return before((exchange) => {
		const requester = found(exchange.requester, "who asks");
		const acting = actingUser(server, requester, exchange.request.headers);
		if (!(acting instanceof Promise)) {
			exchange.user = acting;
			return undefined;
		}
		return acting.then((user) => {
			exchange.user = user;
			if (user !== requester) exchange.audit?.actsAs(user);
		});
	});
}

/** Reports each write with its response, denied ones as well. */
export function tell(onWrite: (write: AnsweredWrite) => void): Step {
	return async (exchange, next) => {
		const { request, info } = exchange;
		const { verb, resource } = found(info, "what is asked");
		if (resource === undefined || !writes.has(verb)) return next(exchange);
		const user = found(exchange.user, "who asks");
		const answered = (response: ApiResponse) => {
			if (response.type !== "object") return;
			const userAgent = request.headers["user-agent"] ?? "";
			onWrite({ user, userAgent, verb, resource, code: response.status, answer: response.object });
		};
		try {
			const response = await next(exchange);
			answered(response);
			return response;
		} catch (error) {
			answered(errorResponse(error));
			throw error;
		}
	};
}

const writes: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Authorization. @throws ApiError Unauthorized, Forbidden */
export function permit(server: Server): Step {
	return before((exchange) => {
		const { info, user, audit } = exchange;
		const deciding = authorize(server, found(user, "who asks"), found(info, "what is asked"), audit);
		if (deciding === undefined) {
			exchange.isAllowed = true;
			return undefined;
		}
		return deciding.then(() => {
			exchange.isAllowed = true;
		});
	});
}

/**
 * Takes the body from the network, of those who may send one. Apart from the requests under way: clients that send
 * slowly must not keep out those whose requests are there.
 * @throws ApiError TooManyRequests, RequestEntityTooLarge
 */
export function receive(flows: Flows): Step {
	return before(({ request, user }) => {
		const { receive: take } = request;
		if (take === undefined) return undefined;
		const release = flows.enter(found(user, "who asks"));
		return take()
			.then((bytes) => {
				request.body = { bytes };
			})
			.finally(release);
	});
}

/**
 * Determines the priority level of a request, even if it will be denied. Clients in this process are components of the
 * cluster: they limit themselves, and must not wait for clients outside.
 */
export function classify(flowControl: FlowControl): Step {
	return before((exchange) => {
		if (exchange.request.peer === undefined) return undefined;
		exchange.traffic = flowControl.classify(found(exchange.user, "who asks"), found(exchange.info, "what is asked"));
		return undefined;
	});
}

/**
 * Waits for a seat. Connections to pods may take long to open, and cost nothing else: they have a separate limit.
 * Watches, streams and connections that have started no longer count.
 * @throws ApiError TooManyRequests
 */
export function prioritize(flowControl: FlowControl, flows: Flows): Step {
	return async (exchange, next) => {
		const { request, traffic } = exchange;
		// Probes must not wait.
		if (traffic === undefined || isProbe(request.path)) return next(exchange);
		const [user, info] = [found(exchange.user, "who asks"), found(exchange.info, "what is asked")];
		const entering = passesOn.has(info.resource?.subresource)
			? flows.enter(user)
			: flowControl.enter(traffic, { request, info, user });
		const leave = entering instanceof Promise ? await entering : entering;
		try {
			return await next(exchange);
		} finally {
			leave();
		}
	};
}

/** What the rest has to say besides its answer, be it an error. */
export const addHeaders: Step = (exchange, next) =>
	next(exchange).then((response) => {
		const { warnings, traffic } = exchange;
		if (warnings.length > 0) response.headers["warning"] = warningHeader(warnings);
		if (traffic !== undefined) {
			response.headers["x-kubernetes-pf-flowschema-uid"] = traffic.uid;
			response.headers["x-kubernetes-pf-prioritylevel-uid"] = traffic.level.uid;
		}
		return response;
	});
