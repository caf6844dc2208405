/** CREATE: decode, admit, prepare, validate, commit. */
import { timestamp } from "../../core/clock.ts";
import { alreadyExists, conflict, invalid } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { generateName } from "../../core/names.ts";
import type { KubeObject } from "../../core/object.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { admit, allocate, check } from "../admission/admission.ts";
import { inQuotaOrder } from "../admission/quota-order.ts";
import type { Admitted } from "../admission/step.ts";
import { readObjectBody } from "../body.ts";
import type { Cached } from "../cache/cached.ts";
import { objectKey } from "../cache/keys.ts";
import { type Companions, putObject } from "../commit.ts";
import { decodeObject } from "../decode.ts";
import { metadataForCreate, metadataProblems, newUid } from "../metadata.ts";
import { present } from "../present.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, type Target } from "../target.ts";
import { unstored } from "./dry-run.ts";
import { checkNamespace } from "./identity.ts";
import { isDryRun } from "./options.ts";
import { problemsOf } from "./problems.ts";

/** How often a generated name, or an address given by the server, is chosen again when it turns out to be taken. */
const attempts = 8;

export async function create(context: Context, target: Target): Promise<ApiResponse> {
	if (target.name !== undefined || (target.kind.namespaced && target.namespace === undefined)) throw methodNotAllowed();
	const body = readObjectBody(context.request, target.kind.kind);
	const cached = await createObject(context, target, () => decodeObject(context, target, body));
	return present(context, target, cached, 201);
}

/** @param decode makes what the client sent, a new object each time it is called */
export function createObject(context: Context, target: Target, decode: () => KubeObject): Promise<Cached> {
	return inQuotaOrder(context.server, target, () => createNext(context, target, decode));
}

async function createNext(context: Context, target: Target, decode: () => KubeObject): Promise<Cached> {
	const dryRun = isDryRun(context.request.query);
	for (let attempt = 1; ; attempt++) {
		const companions: Companions = { claims: [], releases: [] };
		const object = await prepared(context, target, decode(), companions);
		const { name, generateName: prefix } = object.metadata;
		const key = objectKey(target.kind, target.namespace, name);
		if (dryRun) {
			if (target.objects.get(key) !== undefined) throw alreadyExists(target.kind, name);
			return unstored(key, object);
		}
		const outcome = await putObject(context.server, object, { key, expected: 0, companions });
		if (outcome.ok) return outcome.cached;
		const mayRetry = outcome.taken.length > 0 || prefix !== undefined;
		if (!mayRetry) throw alreadyExists(target.kind, name);
		if (attempt < attempts) continue;
		if (companions.updates === undefined) throw alreadyExists(target.kind, name);
		throw conflict(resourceQuotas, target.namespace ?? "", "the quotas of the namespace change too fast");
	}
}

async function prepared(
	context: Context,
	target: Target,
	object: KubeObject,
	companions: Companions,
): Promise<KubeObject> {
	const { server, user, warnings, audit } = context;
	const { kind, namespace } = target;
	const sent = object.metadata;
	checkNamespace(target, sent);
	const nowMs = server.clock.now();
	object.metadata = metadataForCreate(kind, sent, { uid: newUid(server.clock), nowMs, namespace });
	const admitted: Admitted = {
		server,
		user,
		operation: "create",
		kind,
		namespace: kind.namespaced ? namespace : undefined,
		name: object.metadata.name,
		subresource: undefined,
		object,
		old: undefined,
		companions,
		warnings,
		audit,
	};
	const admitting = admit(admitted);
	if (admitting !== undefined) await admitting;
	const { name, generateName: prefix } = object.metadata;
	if (name === "" && prefix !== undefined) object.metadata.name = generateName(prefix, server.clock.random);
	kind.prepareForCreate?.(object, { now: timestamp(nowMs), requester: user });
	allocate(admitted);
	const causes = problemsOf(() =>
		metadataProblems(kind, object.metadata).concat(
			kind.validate?.(object) ?? [],
			target.served?.validate?.(object) ?? [],
		),
	);
	if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
	const checking = check({ ...admitted, name: object.metadata.name });
	if (checking !== undefined) await checking;
	if (kind.warnings !== undefined) warnings.push(...kind.warnings(object));
	return object;
}
