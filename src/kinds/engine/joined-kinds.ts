/** The kinds of a registry together with those that other servers serve. */
import { parseApiVersion } from "../../core/object.ts";
import { type Kind, qualifiedResource } from "./kind.ts";
import type { KindSource, Registry } from "./registry.ts";

export interface JoinedKinds extends KindSource {
	/** By an object's apiVersion and kind. Kinds of other servers are found in any version. */
	kind(apiVersion: string, kind: string): Kind | undefined;
	/** Whether another server serves it. */
	isRemote(kind: Kind): boolean;
}

/** @param others where both have a resource, the registry's counts */
export function joinKinds(registry: Registry, others: KindSource): JoinedKinds {
	let joined: { own: readonly Kind[]; others: readonly Kind[]; all: readonly Kind[] } | undefined;
	const all = () => {
		const [own, more] = [registry.all(), others.all()];
		if (more.length === 0) return own;
		if (joined?.own !== own || joined.others !== more) {
			const names = new Set(own.map(qualifiedResource));
			joined = { own, others: more, all: [...own, ...more.filter((kind) => !names.has(qualifiedResource(kind)))] };
		}
		return joined.all;
	};
	return {
		all,
		kind(apiVersion, kindName) {
			const own = registry.kind(apiVersion, kindName)?.kind;
			const { group } = parseApiVersion(apiVersion);
			return own ?? others.all().find((kind) => kind.group === group && kind.kind === kindName);
		},
		isRemote: (kind) => others.all().includes(kind),
		onChange(listener) {
			const ends = [registry.onChange(listener), others.onChange(listener)];
			return () => {
				for (const end of ends) end();
			};
		},
	};
}

/** No others. */
export const noKinds: KindSource = { all: () => [], onChange: () => () => {} };
