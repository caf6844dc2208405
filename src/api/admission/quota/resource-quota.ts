/**
 * Resource quotas: new objects are charged to their quotas in the same commit, so that two concurrent creates cannot
 * both take the rest. The quota controller credits deletions.
 */

import { copyObject, type KubeObject, lookup } from "../../../core/object.ts";
import { compareQuantities, subtractQuantities } from "../../../core/quantity.ts";
import { events } from "../../../kinds/core/event.ts";
import type { Kind } from "../../../kinds/engine/kind.ts";
import type { Pod, ResourceQuota } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { type Amounts, add, noAmounts } from "../../../kinds/pod/spec/pod-amounts.ts";
import { unstated } from "../../../kinds/quota/constraints.ts";
import { isCounted, usageOf } from "../../../kinds/quota/quota-usage.ts";
import { resourceQuotas } from "../../../kinds/quota/resourcequota.ts";
import { isInScopes } from "../../../kinds/quota/scopes.ts";
import type { Cached } from "../../cache/cached.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { unassigned } from "../../resources/metadata.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes, Server } from "../../server/server.ts";

/** Kinds of the core group whose use of a quota may change while they exist. */
const changing = new Set(["services", "persistentvolumeclaims"]);

export const resourceQuota: AdmissionStep = {
	name: "ResourceQuota",
	on: { operations: ["create", "update"], subresources: true },
	admit(request) {
		if (!concerns(request)) return;
		const { server, kind, namespace = "", object, old } = request;
		let delta: Amounts | undefined;
		for (const cached of quotasFor(server, kind, namespace)) {
			const quota = cached.object;
			if (!isInScopes(quota, kind, object)) continue;
			delta ??= deltaOf(server, kind, object, old);
			charge(request, cached, quota, delta);
		}
	},
};

function concerns({ kind, operation, subresource, namespace }: AdmissionAttributes): boolean {
	if (namespace === undefined) return false;
	if (operation === "create") return subresource === undefined;
	if (kind.group !== "") return false;
	if (subresource !== undefined) return kind.plural === pods.plural && subresource === "resize";
	return changing.has(kind.plural);
}

/** The quotas of a namespace that limit something that objects of the kind use. */
export function quotasFor(server: Server, kind: Kind, namespace: string): Cached<ResourceQuota>[] {
	if (!kind.namespaced || (kind.group === events.group && kind.plural === events.plural)) return [];
	const found: Cached<ResourceQuota>[] = [];
	for (const cached of server.cache.resource(resourceQuotas).range(keyPrefix(resourceQuotas, namespace))) {
		// Limits apply once the controller has counted the existing objects.
		const { hard = {} } = cached.object.status ?? {};
		if (Object.keys(hard).some((name) => isCounted(kind, name))) found.push(cached);
	}
	return found;
}

/** The increase of usage by the write; without unchanged and decreased amounts. */
function deltaOf({ clock }: Server, kind: Kind, object: KubeObject, old: KubeObject | undefined): Amounts {
	const usage = usageOf(kind, object, clock.now());
	const before = old === undefined ? noAmounts() : lookup(usageOf(kind, old, clock.now()));
	const delta = noAmounts();
	for (const [name, quantity] of Object.entries(usage)) {
		const more = subtractQuantities(quantity, before[name] ?? "0");
		if (compareQuantities(more, "0") > 0) delta[name] = more;
	}
	return delta;
}

/** @throws ApiError Forbidden if not enough is left */
function charge(request: AdmissionAttributes, cached: Cached, quota: ResourceQuota, delta: Amounts): void {
	const { kind, object } = request;
	const { name: quotaName } = quota.metadata;
	const { hard = {} } = quota.status ?? {};
	const used = lookup(quota.status?.used ?? {});
	const limited = Object.keys(hard)
		.filter((name) => isCounted(kind, name))
		.sort();
	if (kind.group === "" && kind.plural === pods.plural) {
		// The kind is that of pods.
		const complaint = unstated((object as Pod).spec, limited);
		if (complaint !== undefined) throw refused(request, `failed quota: ${quotaName}: ${complaint}`);
	}
	if (limited.some((name) => used[name] === undefined))
		throw refused(request, `status unknown for quota: ${quotaName}, resources: ${limited.join(",")}`);
	const charged = limited.filter((name) => delta[name] !== undefined);
	if (charged.length === 0) return;
	const total = Object.assign(noAmounts(), used);
	for (const name of charged) add(total, { [name]: delta[name] ?? "0" });
	const exceeded = charged.filter((name) => compareQuantities(total[name] ?? "0", hard[name] ?? "0") > 0);
	if (exceeded.length > 0) {
		const amounts = [delta, used, hard].map((from) => exceeded.map((name) => `${name}=${from[name]}`).join(","));
		const [requested, inUse, most] = amounts;
		throw refused(request, `exceeded quota: ${quotaName}, requested: ${requested}, used: ${inUse}, limited: ${most}`);
	}
	const updated = copyObject(quota);
	updated.metadata.resourceVersion = unassigned;
	updated.status = { ...updated.status, used: { ...total } };
	request.companions.updates ??= [];
	request.companions.updates.push({ key: cached.key, expected: cached.revision, object: updated });
}
