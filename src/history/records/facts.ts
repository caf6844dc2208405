/**
 * Facts that exist nowhere else and must be kept until a run includes them. The commit that removes a Job, or a pod of
 * one, also writes its last state (see `keepRemoved`).
 */
import { keyPrefix } from "../../api/cache/keys.ts";
import type { EndedContainer } from "../../core/ended-log.ts";
import { controllerOf, type ObjectMeta } from "../../core/object.ts";
import { type Clock, timestamp } from "../../core/time/clock.ts";
import { scheduledAnnotation } from "../../kinds/batch/cronjob-jobs.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { completionIndexAnnotation } from "../../kinds/batch/job-selector.ts";
import type { Job, Pod } from "../../kinds/generated/types.ts";
import { workloadAnnotations } from "../../kinds/notify/annotations.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { Commit, Store } from "../../store/store.ts";
import { factKey } from "./keys.ts";

export type Fact = RemovalFact | LogFact;

/** The last state of a removed Job or pod, reduced to the fields that runs use. */
export type RemovalFact = { type: "job"; at: string; object: Job } | { type: "pod"; at: string; object: Pod };

/** A container has terminated, with its log. Not stored: the node sends it again until its run includes it. */
export interface LogFact {
	type: "log";
	ended: EndedContainer;
	log: { bytes: number; storedBytes: number; omittedBytes: number };
}

export interface StoredFact {
	key: string;
	fact: RemovalFact;
}

/** The Job that a fact belongs to. */
export function jobOfFact(fact: RemovalFact): { namespace: string; name: string; uid: string } | undefined {
	const { metadata } = fact.object;
	const namespace = metadata.namespace ?? "";
	if (fact.type === "job") return { namespace, name: metadata.name, uid: metadata.uid };
	const owner = controllerOf(fact.object);
	return owner && { namespace, name: owner.name, uid: owner.uid };
}

export function encodeFact(fact: RemovalFact): Uint8Array {
	return Buffer.from(JSON.stringify(fact));
}

export function decodeFact(value: Uint8Array): RemovalFact {
	// This part of the store contains only output of `encodeFact`.
	return JSON.parse(Buffer.from(value).toString()) as RemovalFact;
}

const essentialAnnotations = new Set([...workloadAnnotations, scheduledAnnotation, completionIndexAnnotation]);

const jobPrefix = keyPrefix(jobs);
const podPrefix = keyPrefix(pods);

/**
 * Wraps the store: a commit that removes a Job, or a pod of one, also writes its last state. Unlike a finalizer, this
 * is invisible to clients, and nothing waits for it.
 * @param told called with what was written, afterwards
 */
export function keepRemoved(store: Store, clock: Pick<Clock, "now">, told: (fact: StoredFact) => void): Store {
	async function withFacts(commit: Commit): ReturnType<Store["commit"]> {
		const facts: StoredFact[] = [];
		for (const key of commit.deletes) {
			const fact = isConcerned(key) ? await removalOf(key) : undefined;
			if (fact !== undefined) facts.push(fact);
		}
		if (facts.length === 0) return store.commit(commit);
		const puts = facts.map(({ key, fact }) => ({ key, value: encodeFact(fact) }));
		const result = await store.commit({ ...commit, puts: [...commit.puts, ...puts] });
		if (result.ok) facts.forEach(told);
		return result;
	}

	/** A commit that removes an object compares its revision: either this is its last state, or the commit fails. */
	async function removalOf(key: string): Promise<StoredFact | undefined> {
		const entry = await store.get(key);
		if (entry === undefined) return undefined;
		const at = timestamp(clock.now());
		// The API server stores such objects under this key.
		const object = JSON.parse(Buffer.from(entry.value).toString()) as Job | Pod;
		const fact: RemovalFact = isJob(object)
			? { type: "job", at, object: essentialJob(object) }
			: { type: "pod", at, object: essentialPod(object) };
		const job = jobOfFact(fact);
		if (job === undefined || (fact.type === "pod" && controllerOf(object)?.kind !== jobs.kind)) return undefined;
		return { key: factKey(job.namespace, job.uid, `${fact.type}/${object.metadata.uid}`), fact };
	}

	return {
		revision: () => store.revision(),
		get: (key) => store.get(key),
		range: (options) => store.range(options),
		commit: (commit) => (commit.deletes.some(isConcerned) ? withFacts(commit) : store.commit(commit)),
		watch: (options, sink) => store.watch(options, sink),
		compact: (revision) => store.compact(revision),
		close: () => store.close(),
	};
}

/** The fields that runs use, without large ones. */
function essentialJob({ apiVersion, kind, metadata, spec, status }: Job): Job {
	const { completions, parallelism, suspend } = spec;
	// Runs do not include the template.
	const kept = { completions, parallelism, suspend } as Job["spec"];
	return { apiVersion, kind, metadata: essentialMetadata(metadata), spec: kept, ...(status && { status }) };
}

function essentialPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
	const named = ({ name, image }: Pod["spec"]["containers"][number]) => ({ name, image });
	const { nodeName, initContainers, containers } = spec;
	const kept = {
		nodeName,
		...(initContainers && { initContainers: initContainers.map(named) }),
		containers: containers.map(named),
		// Runs use no other fields.
	} as Pod["spec"];
	return { apiVersion, kind, metadata: essentialMetadata(metadata), spec: kept, ...(status && { status }) };
}

function essentialMetadata({ managedFields: _, annotations = {}, ...metadata }: ObjectMeta): ObjectMeta {
	const kept = Object.entries(annotations).filter(([name]) => essentialAnnotations.has(name));
	return kept.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(kept) };
}

function isConcerned(key: string): boolean {
	return key.startsWith(jobPrefix) || key.startsWith(podPrefix);
}

function isJob(object: Job | Pod): object is Job {
	return object.kind === jobs.kind;
}
