/** The audit log (Kubernetes documentation, "Auditing"): requests, their users and their results. */

import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import type { Clock } from "../../core/time/clock.ts";
import { attributesOf } from "../request/authorizer.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { AuditEvent } from "./event.ts";
import { type AuditPolicy, ruleFor } from "./policy.ts";
import { AuditRecord } from "./record.ts";

export interface AuditOptions {
	policy: AuditPolicy;
	/**
	 * Accepts an event immediately and never fails: a request does not wait for its record. The event is not changed
	 * afterwards.
	 */
	sink(event: AuditEvent): void;
}

export interface Audit {
	/** Undefined if the policy does not record the request. @param user the user before impersonation */
	begin(request: ApiRequest, info: RequestInfo, user: User): AuditRecord | undefined;
	/** An unauthenticated request: recorded once, when it is rejected. */
	unknownUser(request: ApiRequest, info: RequestInfo, response: ApiResponse): void;
}

export function createAudit({ policy, sink }: AuditOptions, clock: Clock): Audit {
	const recordOf = (request: ApiRequest, info: RequestInfo, user: User | undefined) => {
		const attributes = attributesOf(user ?? nobody, info);
		const rule = ruleFor(policy, attributes, user);
		return rule && new AuditRecord(request, attributes, user, { rule, clock, write: sink });
	};
	return {
		begin(request, info, user) {
			const record = recordOf(request, info, user);
			record?.received();
			return record;
		},
		unknownUser(request, info, response) {
			recordOf(request, info, undefined)?.unknownUser(response, howTried(request));
		},
	};
}

const nobody: User = { name: "", groups: [] };

/** In upstream's words. */
function howTried({ headers }: ApiRequest): string {
	const { authorization = "" } = headers;
	const tried: string[] = [];
	if (/^basic /i.test(authorization)) tried.push("basic");
	if (/^bearer /i.test(authorization)) tried.push("bearer");
	return tried.join(", ");
}
