/** Who may do what. */
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import type { RequestInfo } from "../request-info.ts";

export interface Decision {
	allowed: boolean;
	reason: string;
}

/** What everybody may see, known or not. */
const publicPaths = new Set(["/healthz", "/livez", "/readyz", "/version"]);

/** Everybody who is known may do everything; roles are not looked at. */
export function decide(user: User, info: RequestInfo): Decision {
	if (user.groups.includes("system:masters")) return { allowed: true, reason: "" };
	if (!user.groups.includes("system:unauthenticated")) return { allowed: true, reason: "" };
	const isPublic = info.resource === undefined && publicPaths.has(`/${info.path.split("/")[1]}`);
	return { allowed: isPublic, reason: "" };
}

/** @throws ApiError Unauthorized for the unknown, Forbidden for others */
export function authorize(user: User, info: RequestInfo): void {
	const { allowed } = decide(user, info);
	if (allowed) return;
	if (user.groups.includes("system:unauthenticated")) throw new ApiError("Unauthorized", "Unauthorized");
	throw new ApiError("Forbidden", `forbidden: User "${user.name}" cannot ${info.verb} path "${info.path}"`);
}
