/** The condition `Available` of APIServices. */
import type { APIService, APIServiceCondition, APIServiceStatus } from "../generated/types.ts";

/** What a check has found out. */
export interface Availability {
	status: "True" | "False" | "Unknown";
	reason: string;
	message: string;
}

export const localCondition: Availability = {
	status: "True",
	reason: "Local",
	message: "Local APIServices are always available",
};

/** Whether this server itself serves the group version. */
export function isLocal({ spec }: APIService): boolean {
	return spec.service === undefined;
}

/** `v1.apps`: the name of the APIService of a group version. */
export function apiServiceName(group: string, version: string): string {
	return `${version}.${group}`;
}

/** The very same where nothing changes. The time is that of the last change between True, False and Unknown. */
export function withAvailability(
	status: APIServiceStatus | undefined,
	{ status: holds, reason, message }: Availability,
	now: string,
): APIServiceStatus {
	const conditions = status?.conditions ?? [];
	const at = conditions.findIndex(({ type }) => type === "Available");
	const old = conditions[at];
	if (status !== undefined && old?.status === holds && old.reason === reason && old.message === message) return status;
	const lastTransitionTime = old?.status === holds ? (old.lastTransitionTime ?? now) : now;
	const next: APIServiceCondition = { type: "Available", status: holds, lastTransitionTime, reason, message };
	return { ...status, conditions: old === undefined ? [...conditions, next] : conditions.with(at, next) };
}
