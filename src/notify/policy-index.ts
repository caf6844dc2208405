/** All policies, indexed by the workloads that they apply to. */
import type { InformerCache } from "../client/informer-cache.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import type { Run } from "../kinds/history/types.ts";
import type { NotificationPolicy } from "../kinds/notify/types.ts";
import type { NotifiedWorkload } from "./events/workload-events.ts";
import type { QueueName } from "./outbox/queue.ts";
import { annotatedPolicy, annotationPolicy, type Policy, policyOf, type Sink } from "./policies/policy.ts";

export class PolicyIndex {
	/** By namespace and UID. */
	readonly #policies = new Map<string, Map<string, Policy>>();

	get isEmpty(): boolean {
		return this.#policies.size === 0;
	}

	/** @param current undefined: it was deleted */
	change(current: NotificationPolicy | undefined, old: NotificationPolicy | undefined): void {
		if (old !== undefined && old.metadata.uid !== current?.metadata.uid) this.#remove(old);
		if (current === undefined) return;
		const { namespace = "", uid } = current.metadata;
		const there = this.#policies.get(namespace) ?? new Map<string, Policy>();
		this.#policies.set(namespace, there);
		there.set(uid, policyOf(current));
	}

	of(namespace: string): Iterable<Policy> {
		return this.#policies.get(namespace)?.values() ?? [];
	}

	/** Policies that apply to a run: those of its namespace, and from annotations of its Job or CronJob. */
	aboutRun(run: Run, informers: InformerCache): Policy[] {
		const { namespace = "", labels, annotations } = run.metadata;
		const { jobName, cronJobName } = run.spec;
		const cronJob = cronJobName === undefined ? undefined : informers.of(cronJobs).get(namespace, cronJobName);
		const workload = {
			kinds: [...(jobName === undefined ? [] : ["Job"]), ...(cronJobName === undefined ? [] : ["CronJob"])],
			names: [jobName, cronJobName].flatMap((name) => name ?? []),
			labels: [labels, cronJob?.metadata.labels],
		};
		const annotated =
			annotationPolicy(namespace, annotations) ?? annotationPolicy(namespace, cronJob?.metadata.annotations);
		const policies = [...this.of(namespace)].filter((policy) => policy.matches(workload));
		return annotated === undefined ? policies : [...policies, annotated];
	}

	aboutWorkload({ kind, metadata }: NotifiedWorkload): Policy[] {
		const { namespace = "", name, labels, annotations } = metadata;
		const annotated = annotationPolicy(namespace, annotations);
		const policies = [...this.of(namespace)].filter((policy) =>
			policy.matches({ kinds: [kind], names: [name], labels: [labels] }),
		);
		return annotated === undefined ? policies : [...policies, annotated];
	}

	/** Undefined: the policy or sink does not exist (any more). */
	target({ namespace, policy: key, sink: name }: QueueName): { policy: Policy; sink: Sink } | undefined {
		const policy = key.startsWith("~")
			? annotatedPolicy(namespace, key.slice(1))
			: this.#policies.get(namespace)?.get(key);
		const sink = policy?.sinks.find((one) => one.name === name);
		return policy === undefined || sink === undefined ? undefined : { policy, sink };
	}

	#remove({ metadata }: NotificationPolicy): void {
		const there = this.#policies.get(metadata.namespace ?? "");
		there?.delete(metadata.uid);
		if (there?.size === 0) this.#policies.delete(metadata.namespace ?? "");
	}
}
