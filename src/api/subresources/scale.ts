/** The scale subresource: the number of replicas, in the same form for every kind (`autoscaling/v1 Scale`). */

import { ApiError, invalid } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { copyObject, type KubeObject } from "../../core/object.ts";
import { serverSideApply } from "../../core/patches/server-side-apply.ts";
import { isTrue } from "../../core/selection/query.ts";
import { timestamp } from "../../core/time/clock.ts";
import { apiVersionOf } from "../../kinds/engine/kind.ts";
import { decode } from "../../kinds/schema.ts";
import type { Cached } from "../cache/cached.ts";
import { writerOf } from "../mutate/options/writer.ts";
import { fields, mainStrategy } from "../mutate/strategies.ts";
import { updateObject } from "../mutate/update.ts";
import type { Strategy } from "../mutate/write.ts";
import { servedForm } from "../resources/forms.ts";
import { replicasOf, replicasPath, scaleOf, setReplicas } from "../resources/scale.ts";
import { existing, methodNotAllowed, type NamedTarget, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { applied, applyPatch, checkPatchType } from "../verbs/patch.ts";
import { contentType, readObjectBody } from "../wire/body.ts";
import { objectResponse } from "../wire/respond.ts";

interface Scale {
	metadata?: { resourceVersion?: string; uid?: string; name?: string; namespace?: string };
	spec?: { replicas?: number };
}

export async function scale(context: Context, target: Target): Promise<ApiResponse> {
	const wanted = named(target);
	await context.server.cache.fresh();
	const { verb } = context.info;
	if (verb === "get") {
		const { object } = await servedForm(wanted.kind, existing(wanted));
		checkReplicas(wanted, object);
		return objectResponse(scaleOf(wanted.kind, object));
	}
	if (verb !== "update" && verb !== "patch") throw methodNotAllowed();
	const type = contentType(context.request);
	if (verb === "patch") checkPatchType(type, target.kind);
	const { value } = readScale(context);
	const applies = verb === "patch" && type === applyPatch;
	const cached = await updateObject(context, wanted, {
		make(current) {
			const before = scaleOf(wanted.kind, current.object);
			const scaleKind = { kind: { ...wanted.kind, schema: "Scale" }, served: undefined };
			const next = verb === "update" || applies ? value : applied(scaleKind, before, value, type);
			// Its type is checked where it is read.
			const object = rescaled(wanted, current, next as Scale);
			return applies ? owned(context, wanted, current, object) : object;
		},
		strategy: scaleStrategy(wanted, timestamp(context.server.clock.now())),
		...(applies ? { ownsManagedFields: true } : {}),
	});
	return objectResponse(scaleOf(wanted.kind, cached.object));
}

/** Built-in kinds have a default. @throws ApiError InternalError */
function checkReplicas({ kind }: NamedTarget, object: KubeObject): void {
	if (kind.custom === undefined || replicasOf(kind, object) !== undefined) return;
	const why = `the spec replicas field ${JSON.stringify(replicasPath(kind))} does not exist`;
	throw new ApiError("InternalError", `Internal error occurred: ${why}`);
}

/**
 * The object with its new number of replicas, which the field manager of the request then owns.
 * @throws ApiError Conflict
 */
function owned(context: Context, target: NamedTarget, current: Cached, next: KubeObject): KubeObject {
	const { kind } = target;
	const { name, namespace, resourceVersion, uid } = next.metadata;
	const config = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name, namespace } };
	setReplicas(kind, config, replicasOf(kind, next));
	const object = serverSideApply({
		live: fields(current.object),
		config,
		force: isTrue(context.request.query.get("force")),
		...writerOf(context, target),
		// The rest of the object is as it was.
	}) as unknown as KubeObject;
	return { ...object, metadata: { ...object.metadata, resourceVersion, uid } };
}

function readScale(context: Context): { value: unknown } {
	const { request } = context;
	if (context.info.verb === "update") return readObjectBody(request);
	// A patch is decoded by its syntax; its meaning depends on its type.
	const written = contentType(request) === applyPatch ? "application/yaml" : "application/json";
	return readObjectBody({ ...request, headers: { ...request.headers, "content-type": written } });
}

function rescaled({ kind }: NamedTarget, current: Cached, scale: Scale): KubeObject {
	const { problems } = decode(scale, "Scale");
	if (problems[0] !== undefined) throw new ApiError("BadRequest", problems[0].message);
	const object = copyObject(current.object);
	object.metadata.resourceVersion = scale.metadata?.resourceVersion ?? "";
	if (scale.metadata?.uid !== undefined) object.metadata.uid = scale.metadata.uid;
	setReplicas(kind, object, scale.spec?.replicas ?? 0);
	return object;
}

/** The strategy of the whole object; errors of the number are reported for the scale. */
function scaleStrategy({ kind, name }: NamedTarget, now: string): Strategy {
	const { prepare, validate } = mainStrategy(kind, now);
	return {
		prepare,
		validate(object, old) {
			const replicas = Number(replicasOf(kind, object));
			if (replicas < 0)
				throw invalid({ group: "autoscaling", kind: "Scale" }, name, [
					{
						reason: "FieldValueInvalid",
						message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
						field: "spec.replicas",
					},
				]);
			return validate(object, old);
		},
	};
}
