import type { Cached } from "../cache/cached.ts";
import type { Target } from "../resources/target.ts";
import type { Companions, Context } from "../server/server.ts";
import { removeObjects } from "./commit.ts";
import { releasesOf } from "./mutate.ts";
import { retryOnConflict } from "./retry.ts";
import { settle } from "./settle.ts";
import { modified } from "./update.ts";
import { writeOf } from "./write.ts";

export interface Seen {
	key: string;
	revision: number;
}

/**
 * Removes objects of a kind in one commit, regardless of finalizers, if they have not changed since they were read.
 * @throws ApiError Conflict if they change too often, or an error of admission
 */
export function removeAll(context: Context, target: Target, seen: readonly Seen[]): Promise<void> {
	return retryOnConflict(async () => {
		const [first, ...others] = seen
			.map(({ key }) => target.objects.get(key))
			.filter((cached, index): cached is Cached => cached !== undefined && cached.revision === seen[index]?.revision);
		if (first === undefined) return;
		const companions: Companions = { claims: [], releases: [] };
		for (const cached of [first, ...others]) {
			const { object } = cached;
			const { name, namespace } = object.metadata;
			const one: Target = { ...target, name, namespace };
			await settle(writeOf(context, one, { operation: "delete", object, old: object }));
			companions.releases.push(...(await releasesOf(context, one, cached)).releases);
		}
		const outcome = await removeObjects(context.server, [first, ...others], companions);
		return outcome.ok ? undefined : modified({ kind: target.kind, name: first.object.metadata.name });
	});
}
