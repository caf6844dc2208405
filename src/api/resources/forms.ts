/**
 * Objects of custom resources as a client speaks of them: they may be stored in another version, or from before the
 * schema became what it is. Objects of other kinds are what they are.
 */
import { ApiError, messageOf } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { apiVersionOf, type CustomForm, type Kind } from "../../kinds/engine/kind.ts";
import { type Cached, Form } from "../cache/cached.ts";

/** Stored object → the kind by which it was written or has been looked at, and found to be as it should. */
const settled = new WeakMap<KubeObject, Kind>();
/** Stored object → what it is to a kind. */
const forms = new WeakMap<KubeObject, WeakMap<Kind, Form>>();

/** @returns the very same when there is nothing to do. @throws ApiError, or in the promise, of the conversion */
export function servedForm(kind: Kind, cached: Cached): Cached | Promise<Cached> {
	const known = knownForm(kind, cached);
	if (known !== undefined) return known;
	const all = servedForms(kind, [cached]);
	return all instanceof Promise ? all.then(([form = cached]) => form) : (all[0] ?? cached);
}

/** As `servedForm`, with one conversion for all that need one. */
export function servedForms(kind: Kind, all: readonly Cached[]): readonly Cached[] | Promise<readonly Cached[]> {
	const { custom } = kind;
	if (custom === undefined) return all;
	const found = all.map((cached) => knownForm(kind, cached));
	const unknown = [...new Set(all.filter((_, index) => found[index] === undefined))];
	// All are known then.
	if (unknown.length === 0) return found as readonly Cached[];
	const converted = converting(() => {
		const objects = unknown.map(({ object }) => custom.refresh(object));
		return custom.convert(objects, apiVersionOf(kind));
	});
	const joined = (objects: readonly KubeObject[]) => {
		const made = new Map(unknown.map((cached, index) => [cached, remembered(kind, custom, cached, objects[index])]));
		return all.map((cached, index) => found[index] ?? made.get(cached) ?? cached);
	};
	return converted instanceof Promise ? converted.then(joined) : joined(converted);
}

/** Undefined: it has to be converted. */
function knownForm(kind: Kind, cached: Cached): Cached | undefined {
	const { custom } = kind;
	if (custom === undefined) return cached;
	const { object } = cached;
	if (settled.get(object) === kind) return cached;
	const known = forms.get(object)?.get(kind);
	if (known !== undefined) return known;
	if (object.apiVersion !== apiVersionOf(kind)) return undefined;
	const refreshed = custom.refresh(object);
	if (refreshed !== object)
		return remember(kind, cached, new Form(cached, refreshed, kind.version === custom.storageVersion));
	settled.set(object, kind);
	return cached;
}

function remembered(kind: Kind, custom: CustomForm, cached: Cached, object: KubeObject | undefined): Cached {
	if (object === undefined) throw new Error("a conversion gives as many objects as it takes");
	const isOutdated = cached.object.apiVersion !== `${kind.group}/${custom.storageVersion}`;
	return remember(kind, cached, new Form(cached, custom.prune(object), isOutdated));
}

function remember(kind: Kind, { object }: Cached, form: Form): Form {
	const ofObject = forms.get(object) ?? new WeakMap<Kind, Form>();
	forms.set(object, ofObject);
	ofObject.set(kind, form);
	return form;
}

/** An object of the kind as it is to be stored. @throws ApiError, or in the promise, of the conversion */
export function storedForm(kind: Kind, custom: CustomForm, object: KubeObject): KubeObject | Promise<KubeObject> {
	if (kind.version === custom.storageVersion) {
		settled.set(object, kind);
		return object;
	}
	const converted = converting(() => custom.convert([object], `${kind.group}/${custom.storageVersion}`));
	const first = ([only = object]: readonly KubeObject[]) => only;
	return converted instanceof Promise ? converted.then(first) : first(converted);
}

/** Whether the object would be stored otherwise today than it is. */
export function isOutdated(cached: Cached): boolean {
	return cached instanceof Form && cached.isOutdated;
}

type Converted = readonly KubeObject[] | Promise<readonly KubeObject[]>;

function converting(convert: () => Converted): Converted {
	try {
		const converted = convert();
		return converted instanceof Promise ? converted.catch(fail) : converted;
	} catch (error) {
		return fail(error);
	}
}

function fail(error: unknown): never {
	throw error instanceof ApiError ? error : new ApiError("InternalError", messageOf(error));
}
