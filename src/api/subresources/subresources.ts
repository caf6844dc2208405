/** Subresources: operations on one object other than reading and writing it. */

import type { ApiResponse } from "../../core/exchange.ts";
import { timestamp } from "../../core/time/clock.ts";
import { statusStrategy } from "../mutate/strategies.ts";
import { formatFor } from "../resources/present.ts";
import { noSuchResource, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { offers } from "../wire/negotiate.ts";
import { approval } from "./approval.ts";
import { binding } from "./binding.ts";
import { connect } from "./connect.ts";
import { eviction } from "./eviction.ts";
import { finalize } from "./finalize.ts";
import { log } from "./log.ts";
import { partOf } from "./part.ts";
import { ephemeralContainers, resize } from "./pod-parts.ts";
import { proxy } from "./proxy.ts";
import { runLog } from "./run-log.ts";
import { scale } from "./scale.ts";
import { token } from "./token.ts";

type Serve = (context: Context, target: Target) => Promise<ApiResponse>;

/** Every subresource that only some kinds have: `resource/subresource`, with the group where it has one. */
const subresources: Readonly<Record<string, Serve>> = {
	"certificatesigningrequests.certificates.k8s.io/approval": approval,
	"namespaces/finalize": finalize,
	"nodes/proxy": proxy,
	"pods/attach": connect,
	"pods/binding": binding,
	"pods/ephemeralcontainers": ephemeralContainers,
	"pods/eviction": eviction,
	"pods/exec": connect,
	"pods/log": log,
	"pods/portforward": connect,
	"pods/proxy": proxy,
	"pods/resize": resize,
	"runs.history.coxswain.io/log": runLog,
	"serviceaccounts/token": token,
	"services/proxy": proxy,
};

/** Subresources whose responses are no objects of the kind. */
const answersItself: ReadonlySet<string | undefined> = new Set(["binding", "eviction", "scale", "token"]);
/** Subresources whose query and response are forwarded. */
export const passesOn: ReadonlySet<string | undefined> = new Set(["attach", "exec", "log", "portforward", "proxy"]);

export async function serveSubresource(context: Context, target: Target): Promise<ApiResponse> {
	const { kind, subresource } = target;
	// Before anything is written for a client that cannot read the answer.
	const { accept } = context.request.headers;
	if (answersItself.has(subresource)) offers.plain.format(accept);
	else if (!passesOn.has(subresource)) formatFor(context, target);
	if (subresource === "status" && kind.subresources.status)
		return partOf(context, target, statusStrategy(kind, timestamp(context.server.clock.now())));
	if (subresource === "scale" && kind.subresources.scale) return scale(context, target);
	const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
	const serve = subresources[`${resource}/${subresource}`];
	if (serve === undefined) throw noSuchResource();
	return serve(context, target);
}
