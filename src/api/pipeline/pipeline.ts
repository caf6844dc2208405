/** The pipeline as a value: a list of steps around an endpoint. */
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import type { AuditRecord } from "../audit/record.ts";
import type { TrafficClass } from "../flow-control/flow-control.ts";
import type { RequestInfo } from "../request/request-info.ts";

/** The state of one request in the pipeline. */
export interface Exchange {
	readonly request: ApiRequest;
	/** Texts for `Warning` headers. */
	readonly warnings: string[];
	info: RequestInfo | undefined;
	/** The authenticated user. */
	requester: User | undefined;
	/** The effective user: the requester, or the user that they impersonate. */
	user: User | undefined;
	/** Where it waits its turn; undefined for the cluster's own parts, which do not wait. */
	traffic: TrafficClass | undefined;
	/** The request may be made. */
	isAllowed: boolean;
	/** What the audit log notes of it; undefined when it is not recorded. */
	audit: AuditRecord | undefined;
}

/** @throws synchronously or in the promise: `answerErrors` turns both into responses */
export type Endpoint = (exchange: Exchange) => Promise<ApiResponse>;

/** Does its part before and after `next`, or answers without it. */
export type Step = (exchange: Exchange, next: Endpoint) => Promise<ApiResponse>;

/** The first step is the outermost. */
export function compose(steps: readonly Step[], endpoint: Endpoint): Endpoint {
	return steps.reduceRight<Endpoint>((next, step) => (exchange) => step(exchange, next), endpoint);
}

/** A step that completes before the rest starts. @param work returns undefined if it completed synchronously */
export function before(work: (exchange: Exchange) => Promise<void> | undefined): Step {
	return (exchange, next) => {
		const pending = work(exchange);
		return pending === undefined ? next(exchange) : pending.then(() => next(exchange));
	};
}

/** A result of an earlier step, which must precede this one in the list. */
export function found<T>(value: T | undefined, what: string): T {
	if (value === undefined) throw new Error(`the pipeline does not know ${what} yet`);
	return value;
}
