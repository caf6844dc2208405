/** Creates missing built-in objects, and adds what existing ones lack. */
import type { Client } from "../../client/client.ts";
import { isReason } from "../../core/errors.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { type BuiltIn, builtInKey } from "./built-in.ts";

/**
 * Namespaces come first. All other writes run concurrently, so that the store commits them together.
 * @param client may do everything
 * @param report called for objects that cannot be created; the others are created regardless
 */
export async function makeBuiltIns(
	client: Client,
	list: readonly BuiltIn[],
	report: (what: string, error: unknown) => void,
): Promise<void> {
	const isNamespace = ({ kind }: BuiltIn) => kind.plural === namespaces.plural;
	await makeAll(client, list.filter(isNamespace), report);
	await makeAll(
		client,
		list.filter((one) => !isNamespace(one)),
		report,
	);
}

async function makeAll(
	client: Client,
	list: readonly BuiltIn[],
	report: (what: string, error: unknown) => void,
): Promise<void> {
	const places = new Map<string, { kind: Kind; namespace: string | undefined; members: BuiltIn[] }>();
	for (const one of list) {
		const { kind, draft } = one;
		const { namespace } = draft.metadata;
		const place = builtInKey(kind, { namespace });
		const found = places.get(place) ?? { kind, namespace, members: [] };
		places.set(place, found);
		found.members.push(one);
	}
	await Promise.all(
		[...places.values()].map(async ({ kind, namespace, members }) => {
			const { items } = await client.list(kind, namespace === undefined ? {} : { namespace });
			const found = new Map(items.map((item) => [item.metadata.name, item]));
			await Promise.all(
				members.map((one) =>
					makeOne(client, one, found.get(one.draft.metadata.name ?? "")).catch((error: unknown) =>
						report(`${builtInKey(kind, one.draft.metadata)} cannot be made`, error),
					),
				),
			);
		}),
	);
}

async function makeOne(client: Client, one: BuiltIn, current: BuiltInObject | undefined): Promise<void> {
	const { kind, draft } = one;
	const next = current === undefined ? "replace" : one.mended(current);
	if (next === undefined) return;
	try {
		if (next !== "replace") {
			await client.update(kind, next);
			return;
		}
		if (current !== undefined) await client.delete(kind, current.metadata);
		await client.create(kind, draft);
	} catch (error) {
		// Another client writes it at the same time; the keeper adds what is missing.
		if (!isReason(error, "Conflict", "AlreadyExists", "NotFound")) throw error;
	}
}

type BuiltInObject = Parameters<BuiltIn["mended"]>[0];
