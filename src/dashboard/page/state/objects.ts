/**
 * A copy of the cluster's objects, kept up to date by one stream of watches. Views read it through `all` and are drawn
 * again when what they read has changed, at most once a frame.
 */
import { type Signal, signal } from "@preact/signals";
import type {
	CronJob,
	DaemonSet,
	Deployment,
	Event,
	Job,
	Namespace,
	Node,
	PersistentVolumeClaim,
	Pod,
	ReplicaSet,
	ResourceQuota,
	Service,
	StatefulSet,
	StorageClass,
} from "../../../kinds/generated/types.ts";
import type { Run } from "../../../kinds/history/types.ts";

/** What is watched, by plural. */
export interface Kinds {
	pods: Pod;
	nodes: Node;
	namespaces: Namespace;
	events: Event;
	services: Service;
	persistentvolumeclaims: PersistentVolumeClaim;
	resourcequotas: ResourceQuota;
	statefulsets: StatefulSet;
	deployments: Deployment;
	daemonsets: DaemonSet;
	replicasets: ReplicaSet;
	jobs: Job;
	cronjobs: CronJob;
	storageclasses: StorageClass;
	runs: Run;
}

export type Plural = keyof Kinds;

export const roots: Readonly<Record<Plural, string>> = {
	pods: "/api/v1",
	nodes: "/api/v1",
	namespaces: "/api/v1",
	events: "/api/v1",
	services: "/api/v1",
	persistentvolumeclaims: "/api/v1",
	resourcequotas: "/api/v1",
	statefulsets: "/apis/apps/v1",
	deployments: "/apis/apps/v1",
	daemonsets: "/apis/apps/v1",
	replicasets: "/apis/apps/v1",
	jobs: "/apis/batch/v1",
	cronjobs: "/apis/batch/v1",
	storageclasses: "/apis/storage.k8s.io/v1",
	runs: "/apis/history.coxswain.io/v1",
};

const plurals = Object.keys(roots) as Plural[];

/** The path of an object. */
export function pathOf(plural: Plural, { namespace, name }: { namespace?: string | undefined; name: string }): string {
	const scope = namespace === undefined || namespace === "" ? "" : `/namespaces/${namespace}`;
	return `${roots[plural]}${scope}/${plural}/${name}`;
}

interface Watched {
	kind: string;
	apiVersion: string;
	metadata: { name: string; namespace?: string; uid: string; annotations?: Record<string, string> };
}

interface Collection {
	objects: Map<string, Watched>;
	list: readonly Watched[] | undefined;
	changes: Signal<number>;
}

const collections = Object.fromEntries(
	plurals.map((plural): [string, Collection] => [plural, { objects: new Map(), list: undefined, changes: signal(0) }]),
) as Record<Plural, Collection>;

/** All objects of a kind that the user may see, in the order of their keys. */
export function all<P extends Plural>(plural: P): readonly Kinds[P][] {
	const collection = collections[plural];
	void collection.changes.value;
	collection.list ??= [...collection.objects.entries()].sort(byKey).map(([, object]) => object);
	return collection.list as unknown as readonly Kinds[P][];
}

/** Objects that the one with this UID controls. */
export function controlled<P extends Plural>(plural: P, uid: string): readonly Kinds[P][] {
	return all(plural).filter(({ metadata }) =>
		metadata.ownerReferences?.some((one) => one.controller && one.uid === uid),
	);
}

export function find<P extends Plural>(plural: P, namespace: string | undefined, name: string): Kinds[P] | undefined {
	void collections[plural].changes.value;
	const key = namespace ? `${namespace}/${name}` : name;
	return collections[plural].objects.get(key) as unknown as Kinds[P] | undefined;
}

const collator = new Intl.Collator("en", { numeric: true });

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
	return collator.compare(a, b);
}

export type Connection = "connecting" | "live" | "lost" | "loggedOut";
export const connection = signal<Connection>("connecting");

const firstRetryMs = 500;
const longestRetryMs = 10_000;

/** Runs until the page is closed. */
export async function follow(): Promise<never> {
	let retryMs = firstRetryMs;
	for (;;) {
		try {
			await stream(() => {
				retryMs = firstRetryMs;
			});
		} catch {
			// The server is away; it is asked again.
		}
		if (connection.value !== "loggedOut") connection.value = "lost";
		await new Promise((resolve) => setTimeout(resolve, retryMs));
		retryMs = Math.min(retryMs * 2, longestRetryMs);
	}
}

interface Line {
	p: string;
	t: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR" | "DENIED";
	o: Watched;
}

const initialEnd = "k8s.io/initial-events-end";

async function stream(opened: () => void): Promise<void> {
	const byPath = new Map(plurals.map((plural) => [`${roots[plural]}/${plural}`, plural]));
	const query = new URLSearchParams([...byPath.keys()].map((path) => ["path", path]));
	const response = await fetch(`/live?${query}`);
	if (response.status === 401) connection.value = "loggedOut";
	if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
	opened();
	/** Objects of kinds whose first list is not complete: what is shown changes at its end, all at once. */
	const first = new Map<Plural, Map<string, Watched>>(plurals.map((plural) => [plural, new Map()]));
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		const parts = (rest + value).split("\n");
		rest = parts.pop() ?? "";
		for (const part of parts) take(JSON.parse(part) as Line, byPath, first);
		if (first.size === 0) connection.value = "live";
	}
}

function take({ p, t, o }: Line, byPath: ReadonlyMap<string, Plural>, first: Map<Plural, Map<string, Watched>>): void {
	const plural = byPath.get(p);
	if (plural === undefined) return;
	const collection = collections[plural];
	const isFirstEnd = t === "BOOKMARK" && o.metadata.annotations?.[initialEnd] === "true";
	if (t === "DENIED" || isFirstEnd) {
		collection.objects = first.get(plural) ?? collection.objects;
		first.delete(plural);
		changed(plural);
		return;
	}
	if (t === "BOOKMARK" || t === "ERROR") return;
	const objects = first.get(plural) ?? collection.objects;
	const key = o.metadata.namespace === undefined ? o.metadata.name : `${o.metadata.namespace}/${o.metadata.name}`;
	if (t === "DELETED") objects.delete(key);
	else objects.set(key, o);
	if (!first.has(plural)) changed(plural);
}

const pending = new Set<Plural>();

/** Views are drawn with the next frame, or soon when the page is hidden and has no frames. */
function changed(plural: Plural): void {
	collections[plural].list = undefined;
	if (pending.size === 0) {
		if (document.hidden) setTimeout(publish, 1000);
		else requestAnimationFrame(publish);
	}
	pending.add(plural);
}

function publish(): void {
	for (const plural of pending) collections[plural].changes.value++;
	pending.clear();
}
