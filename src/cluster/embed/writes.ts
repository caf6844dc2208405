/** Tells a program of every write of its cluster: who wrote what, and how the object was before and after. */
import { objectKey } from "../../api/cache/keys.ts";
import type { AnsweredWrite } from "../../api/server/options.ts";
import { isRecord } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Change, Store } from "../../store/store.ts";

/** A write of an object, by a client or a part of the cluster, in the order of the answers. */
export interface ClusterWrite {
	/** The cluster's time, in epoch milliseconds. */
	atMs: number;
	user: string;
	/** The name that the client gives itself. */
	userAgent: string;
	/** `create`, `update`, `patch`, `delete` or `deletecollection`. */
	verb: string;
	group: string;
	version: string;
	/** In the plural: `deployments`. */
	resource: string;
	subresource?: string;
	namespace?: string;
	/** Of the object; with `generateName`, the one that it got. Empty for `deletecollection`. */
	name: string;
	/** HTTP status code of the answer. */
	code: number;
	/** Of a write that failed. */
	message?: string;
	/** Whether the object exists since this write. */
	isNew: boolean;
	/** The object as stored before the write; undefined if it did not exist, or the write changed nothing. */
	before(): object | undefined;
	/** The object as stored after the write; undefined if it was deleted, or the write changed nothing. */
	after(): object | undefined;
}

/** Keys with commits whose writes have not been answered yet; those of the API server itself never are. */
const mostPending = 4096;
const decoder = new TextDecoder();

/** Joins answers with the commits behind them. */
export class WriteLog {
	readonly #clock: Clock;
	readonly #onWrite: (write: ClusterWrite) => void;
	/** By key, in the order of the commits. */
	readonly #pending = new Map<string, Change[]>();

	constructor(clock: Clock, onWrite: (write: ClusterWrite) => void) {
		this.#clock = clock;
		this.#onWrite = onWrite;
	}

	/** Begins before anything is written. A commit is seen before its writer goes on. */
	async follow(store: Store, signal: AbortSignal): Promise<void> {
		const changes = (all: readonly Change[]) => {
			for (const change of all) {
				const known = this.#pending.get(change.key);
				if (known === undefined) this.#pending.set(change.key, [change]);
				else known.push(change);
			}
			for (const oldest of this.#pending.keys()) {
				if (this.#pending.size <= mostPending) break;
				this.#pending.delete(oldest);
			}
		};
		store.watch({ prefix: "", afterRevision: await store.revision(), signal }, { changes, end() {} });
	}

	readonly answered = ({ user, userAgent, verb, resource, code, answer }: AnsweredWrite): void => {
		const { group, version, plural, namespace, subresource } = resource;
		const metadata = metadataOf(answer);
		const name = resource.name ?? String(metadata?.["name"] ?? "");
		const change =
			code < 400 && name !== ""
				? this.#take(objectKey({ group, plural }, namespace, name), Number(metadata?.["resourceVersion"]))
				: undefined;
		const message = code < 400 || !isRecord(answer) ? undefined : String(answer["message"]);
		this.#onWrite({
			atMs: this.#clock.now(),
			user: user.name,
			userAgent,
			verb,
			group,
			version,
			resource: plural,
			...(subresource !== undefined && { subresource }),
			...(namespace !== undefined && { namespace }),
			name,
			code,
			...(message !== undefined && { message }),
			isNew: change?.type === "put" && change.previous === undefined,
			before: () => decoded(change?.previous?.value),
			after: () => (change?.type === "put" ? decoded(change.value) : undefined),
		});
	};

	/** The commit of this revision; of an answer without one, such as a binding's or a deletion's, the oldest. */
	#take(key: string, revision: number): Change | undefined {
		const known = this.#pending.get(key) ?? [];
		const exact = known.find((change) => change.revision === revision);
		const found = exact ?? (Number.isNaN(revision) ? known[0] : known.find(({ type }) => type === "delete"));
		if (found === undefined) return undefined;
		// What was committed before it has been answered, or never will be.
		const rest = known.slice(known.indexOf(found) + 1);
		if (rest.length === 0) this.#pending.delete(key);
		else this.#pending.set(key, rest);
		return found;
	}
}

function metadataOf(answer: unknown): Record<string, unknown> | undefined {
	const metadata = isRecord(answer) ? answer["metadata"] : undefined;
	return isRecord(metadata) ? metadata : undefined;
}

function decoded(value: Uint8Array | undefined): object | undefined {
	// The store holds objects as JSON.
	return value === undefined ? undefined : (JSON.parse(decoder.decode(value)) as object);
}
