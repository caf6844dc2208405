/** Custom resources in the version that a webhook or policy requests, which may differ from that of the request. */
import { messageOf } from "../../../core/errors.ts";
import type { KubeObject } from "../../../core/object.ts";
import { apiVersionOf, type Kind } from "../../../kinds/engine/kind.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { isScale } from "./admission-request.ts";
import { type Invocation, internalError } from "./matching.ts";

/**
 * The request as if it had been made in the version of the invocation, with its current objects, which are read-only.
 * The same object if the versions are equal.
 * @returns a promise where a webhook converts @throws ApiError InternalError, or in the promise, when it does not
 */
export function viewOf(
	request: AdmissionAttributes,
	{ kind }: Invocation,
): AdmissionAttributes | Promise<AdmissionAttributes> {
	const { kind: requested, object, old, operation, sent } = request;
	// What is sent to subresources is of kinds of its own.
	if (kind === requested || operation === "connect" || sent !== undefined || isScale(request)) return request;
	const converted = convertedTo(kind, requested, old === undefined ? [object] : [object, old]);
	const seen = ([next = object, before]: readonly KubeObject[]): AdmissionAttributes =>
		Object.assign({}, request, { kind, requested, object: next, old: before });
	return converted instanceof Promise ? converted.then(seen) : seen(converted);
}

/** A request in several versions, by the kinds of the versions. */
export type Views = ReadonlyMap<Kind, AdmissionAttributes>;

/** As `viewOf`, for several at once: each version is made once. */
export function viewsOf(request: AdmissionAttributes, invocations: readonly Invocation[]): Views | Promise<Views> {
	const wanted = new Map(invocations.map((invocation) => [invocation.kind, invocation]));
	const views = [...wanted].map(([kind, invocation]) => ({ kind, view: viewOf(request, invocation) }));
	const pending = views.some(({ view }) => view instanceof Promise);
	if (!pending) return new Map(views.map(({ kind, view }) => [kind, view as AdmissionAttributes]));
	return Promise.all(views.map(async ({ kind, view }) => [kind, await view] as const)).then((all) => new Map(all));
}

/** @param views made for this invocation, among others */
export function viewIn(views: Views, { kind }: Invocation): AdmissionAttributes {
	const view = views.get(kind);
	if (view === undefined) throw new Error(`${kind.kind} ${kind.version}: no such view`);
	return view;
}

/** With the defaults of the version. @throws ApiError InternalError, or in the promise */
export function convertedTo(
	to: Kind,
	from: Kind,
	objects: readonly KubeObject[],
): readonly KubeObject[] | Promise<readonly KubeObject[]> {
	const fail = (error: unknown): never => {
		throw internalError(messageOf(error));
	};
	const settled = (all: readonly KubeObject[]) => all.map((object) => to.custom?.refresh(object) ?? object);
	try {
		const converted = from.custom?.convert(objects, apiVersionOf(to)) ?? objects;
		return converted instanceof Promise ? converted.then(settled).catch(fail) : settled(converted);
	} catch (error) {
		return fail(error);
	}
}
