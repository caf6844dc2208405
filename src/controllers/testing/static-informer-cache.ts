/** An informer cache with the given objects that never changes: for tests of `gather` and `plan`. */
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import { Objects } from "../../client/objects.ts";
import { deepFreeze, type KubeObject } from "../../core/object.ts";
import { apiVersionOf, type Kind } from "../../kinds/engine/kind.ts";
import type { Controller } from "../runtime/controller.ts";

/**
 * @param objects of any kinds; they are frozen
 * @param controller adds the indexes of its watch rules
 */
export function staticInformerCache(
	objects: readonly KubeObject[],
	controller?: Pick<Controller<never>, "watches">,
): InformerCache {
	const known = new Map<string, Informer<KubeObject>>();
	const informers: InformerCache = {
		of<T extends KubeObject>(kind: Kind<T>): Informer<T> {
			const id = `${apiVersionOf(kind)}/${kind.kind}`;
			let informer = known.get(id);
			if (informer === undefined) {
				informer = staticInformer(kind, objects);
				known.set(id, informer);
			}
			// The map contains each informer under its own kind.
			return informer as unknown as Informer<T>;
		},
		forget() {},
		synced: () => Promise.resolve(),
		close() {},
	};
	for (const rule of controller?.watches ?? []) {
		for (const [name, values] of Object.entries(rule.indexes ?? {})) informers.of(rule.kind).addIndex(name, values);
	}
	return informers;
}

function staticInformer(kind: Kind, all: readonly KubeObject[]): Informer<KubeObject> {
	const objects = new Objects<KubeObject>();
	for (const object of all) {
		if (object.kind === kind.kind && object.apiVersion === apiVersionOf(kind)) objects.set(deepFreeze(object));
	}
	return {
		kind,
		revision: Number.MAX_SAFE_INTEGER,
		synced: true,
		get: (namespace, name) => objects.get(namespace === undefined || namespace === "" ? name : `${namespace}/${name}`),
		list: (namespace) => objects.list(namespace),
		ownedBy: (uid) => objects.ownedBy(uid),
		controlledBy: (uid) => objects.controlledBy(uid),
		byIndex: (index, value) => objects.byIndex(index, value),
		addIndex: (index, values) => objects.addIndex(index, values),
		reached: () => Promise.resolve(),
		onChange(listener) {
			for (const object of objects.list()) listener(object, undefined);
			return () => {};
		},
	};
}
