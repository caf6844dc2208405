/** Writes and watches of the contract, and what a watch has delivered. */
import type { Change, Commit, Store } from "../store.ts";

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (value: Uint8Array) => new TextDecoder().decode(value);
export const put = (key: string, value = key): Commit => ({
	compare: [],
	puts: [{ key, value: bytes(value) }],
	deletes: [],
});
export const remove = (...deletes: string[]): Commit => ({ compare: [], puts: [], deletes });

/** What a watch has delivered so far: one array for each call. */
export interface Seen {
	calls: (readonly Change[])[];
	revisions(): number[];
	keys(): string[];
	error: Error | undefined;
	stop(): void;
	/** Resolves when the watch has delivered the revision, or has ended. */
	until(revision: number): Promise<void>;
}

export function watch(store: Store, prefix: string, afterRevision: number): Seen {
	const abort = new AbortController();
	const waiting = new Set<() => void>();
	const seen: Seen = {
		calls: [],
		revisions: () => seen.calls.map((changes) => changes[0]?.revision ?? 0),
		keys: () => seen.calls.flat().map((change) => `${change.type === "put" ? "+" : "-"}${change.key}`),
		error: undefined,
		stop: () => abort.abort(),
		until: (revision) =>
			new Promise((resolve) => {
				const check = () => {
					if (seen.error === undefined && (seen.revisions().at(-1) ?? 0) < revision) return;
					waiting.delete(check);
					resolve();
				};
				waiting.add(check);
				check();
			}),
	};
	store.watch(
		{ prefix, afterRevision, signal: abort.signal },
		{
			changes(changes) {
				seen.calls.push(changes);
				for (const check of [...waiting]) check();
			},
			end(error) {
				seen.error = error;
				for (const check of [...waiting]) check();
			},
		},
	);
	return seen;
}

export async function commit(store: Store, wanted: Commit): Promise<number> {
	const result = await store.commit(wanted);
	if (!result.ok) throw new Error("the comparison failed");
	return result.revision;
}
