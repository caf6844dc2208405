/** PATCH, of four types (API concepts, "Patch types"). */

import { ApiError, conflict, invalid, notFound } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { applyJsonPatch } from "../../core/patches/json-patch.ts";
import { applyMergePatch } from "../../core/patches/merge-patch.ts";
import type { JsonObject } from "../../core/patches/schema.ts";
import { serverSideApply } from "../../core/patches/server-side-apply.ts";
import { applyStrategicPatch } from "../../core/patches/strategic-merge-patch.ts";
import { isTrue } from "../../core/selection/query.ts";
import { shortened, shown } from "../../core/shown.ts";
import { goText } from "../../core/text/go-text.ts";
import { timestamp } from "../../core/time/clock.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { schemasOf } from "../../kinds/builtin-schemas.ts";
import { apiVersionOf, type Kind } from "../../kinds/engine/kind.ts";
import { ensureAllowed } from "../access/authorize.ts";
import type { Cached } from "../cache/cached.ts";
import { createObject } from "../mutate/create.ts";
import { checkIdentity } from "../mutate/identity.ts";
import { writerOf } from "../mutate/options/writer.ts";
import { fields, mainStrategy, needless } from "../mutate/strategies.ts";
import { updateObject } from "../mutate/update.ts";
import type { Strategy } from "../mutate/write.ts";
import { attributesOf } from "../request/authorizer.ts";
import { decodeObject, reportRepeatedKeys } from "../resources/decode.ts";
import { present, servedObject } from "../resources/present.ts";
import { type NamedTarget, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { contentType, parseJson, unsupportedMediaType } from "../wire/body.ts";
import { readYaml } from "../wire/yaml.ts";

const jsonPatch = "application/json-patch+json";
const mergePatch = "application/merge-patch+json";
const strategicPatch = "application/strategic-merge-patch+json";
export const applyPatch = "application/apply-patch+yaml";
const patchTypes = [jsonPatch, mergePatch, strategicPatch, applyPatch];

export async function patch(
	context: Context,
	target: Target,
	strategy: Strategy = mainStrategy(target.kind, timestamp(context.server.clock.now())),
): Promise<ApiResponse> {
	const wanted = named(target);
	const type = contentType(context.request);
	checkPatchType(type, target.kind);
	const body = bodyOf(context.request);
	if (type === applyPatch) {
		const { value, repeatedKeys } = "object" in body ? { value: body.object, repeatedKeys: [] } : readYaml(body.bytes);
		checkApplied(wanted, value);
		reportRepeatedKeys(context, repeatedKeys);
		return apply(context, wanted, value, strategy);
	}
	const change = "object" in body ? body.object : parseJson(body.bytes);
	const cached = await updateObject(context, wanted, {
		make: (current) => {
			const before = servedObject(target, current);
			const value = applied(target, before, change, type);
			const isMap = type === strategicPatch;
			const text = () => (isMap ? goText(change) : shown(value));
			const wrongType = (why: string) => wrongResult(text(), why);
			const options = { skips: needless(strategy, before), isMap, wrongType };
			return decodeObject(context, target, { value, duplicateFields: [] }, options);
		},
		strategy,
	});
	return present(context, target, cached);
}

/**
 * The patch is well formed, but its result is not an object of the type.
 * @param text for the message: as upstream, the strategic patch itself, or the result of one of another type
 */
function wrongResult(text: string, why: string): ApiError {
	return invalid({ group: "", kind: "" }, "", [invalidValue("patch", text, why)]);
}

/** @throws ApiError UnsupportedMediaType */
export function checkPatchType(type: string, { withoutStrategicMerge }: Partial<Kind> = {}): void {
	const types = withoutStrategicMerge ? patchTypes.filter((one) => one !== strategicPatch) : patchTypes;
	if (!types.includes(type)) throw unsupportedMediaType(types);
}

/** The object after a patch other than server-side apply. */
export function applied(
	target: Pick<Target, "kind" | "served">,
	before: object,
	change: unknown,
	type: string,
): unknown {
	if (type === jsonPatch) return applyJsonPatch(before, change);
	if (typeof change !== "object" || change === null || Array.isArray(change))
		throw new ApiError("BadRequest", "error decoding patch: the patch must be an object");
	if (type === mergePatch) return applyMergePatch(before, change);
	// Both are objects, as was checked above.
	return applyStrategicPatch(
		before as JsonObject,
		change as JsonObject,
		target.served?.schema ?? target.kind.schema,
		schemasOf(target.kind),
	);
}

/** Server-side apply, which creates a missing object if the user may. */
async function apply(context: Context, target: NamedTarget, config: unknown, strategy: Strategy): Promise<ApiResponse> {
	const { server, request } = context;
	const make = (live: Cached | undefined): KubeObject => {
		// In the stored version, without defaults, which have no owner.
		const wanted = decodeObject(context, target, { value: config, duplicateFields: [] }, { defaults: false });
		const object = serverSideApply({
			live: live && fields(live.object),
			config: fields(wanted),
			force: isTrue(request.query.get("force")),
			...writerOf(context, target),
		});
		return decodeObject(context, storedTarget(target), { value: object, duplicateFields: [] });
	};
	await server.cache.fresh();
	if (target.objects.get(target.key) === undefined) {
		if (target.subresource !== undefined) throw notFound(target.kind, target.name);
		await ensureAllowed(server, { ...attributesOf(context.user, context.info), verb: "create" });
		const makeNew = () => {
			const object = make(undefined);
			const { uid } = object.metadata;
			if (uid !== undefined && uid !== "") {
				const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
				throw conflict(target.kind, target.name, why);
			}
			object.metadata.name ??= target.name;
			return object;
		};
		const cached = await createObject(context, { ...target }, makeNew, true);
		return present(context, target, cached, 201);
	}
	const cached = await updateObject(context, target, {
		make,
		strategy,
		ownsManagedFields: true,
	});
	return present(context, target, cached);
}

/** The applied object must have apiVersion and kind, and match the path. @throws ApiError BadRequest */
function checkApplied(target: NamedTarget, config: unknown): void {
	if (typeof config !== "object" || config === null || Array.isArray(config))
		throw new ApiError("BadRequest", "error decoding YAML: the configuration must be an object");
	// Any of them may be of any type; what is no text does not match.
	const { apiVersion = "", kind = "", metadata } = config as Partial<KubeObject>;
	if (apiVersion !== target.apiVersion) {
		const given = typeof apiVersion === "string" ? shortened(apiVersion) : shown(apiVersion);
		throw new ApiError(
			"BadRequest",
			`Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${target.apiVersion}`,
		);
	}
	if (kind === "") throw new ApiError("BadRequest", `invalid object type: ${apiVersion}, Kind=`);
	if (typeof metadata === "object" && metadata !== null) checkIdentity(target, metadata);
}

/** The same resource, as if the client spoke the stored version. */
function storedTarget(target: NamedTarget): Target {
	return { ...target, served: undefined, apiVersion: apiVersionOf(target.kind) };
}

function bodyOf({ body }: ApiRequest): NonNullable<ApiRequest["body"]> {
	if (body === undefined) throw new ApiError("BadRequest", "error decoding patch: unexpected end of JSON input");
	return body;
}
