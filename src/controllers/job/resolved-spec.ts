/** A Job's spec with the API's defaults. */
import type { Job, Node, PodFailurePolicyRule, SuccessPolicyRule } from "../../kinds/generated/types.ts";
import { type PerNode, resolvePerNode } from "./per-node.ts";

const unlimited = 2 ** 31 - 1;

export interface ResolvedSpec {
	parallelism: number;
	/** Undefined for a work queue: the first success means that the queue is empty. */
	completions: number | undefined;
	indexed: boolean;
	backoffLimit: number;
	/** The backoff limit per index; undefined: failures are counted together. */
	perIndexLimit: number | undefined;
	maxFailedIndexes: number | undefined;
	suspended: boolean;
	/** A terminating pod is not replaced or counted before it has failed. */
	waitsForTermination: boolean;
	failureRules: readonly PodFailurePolicyRule[] | undefined;
	successRules: readonly SuccessPolicyRule[] | undefined;
	deadlineMs: number | undefined;
	restartsOnFailure: boolean;
	/** Only if each index belongs to a node. */
	perNode: PerNode | undefined;
}

/** @param nodes all nodes of the cluster; only for Jobs that run once on each */
export function resolveSpec(job: Job, nodes?: readonly Node[]): ResolvedSpec {
	const { spec } = job;
	const perNode = resolvePerNode(job, nodes);
	const indexed = spec.completionMode === "Indexed" || perNode !== undefined;
	const { podFailurePolicy, successPolicy, activeDeadlineSeconds, backoffLimitPerIndex } = spec;
	return {
		parallelism: spec.parallelism ?? 1,
		// Both absent mean 1; only a parallelism means a work queue.
		completions: perNode?.slots.length ?? spec.completions ?? (spec.parallelism === undefined ? 1 : undefined),
		indexed,
		// Failures of a node do not affect others, and are counted by its index.
		backoffLimit: perNode ? unlimited : (spec.backoffLimit ?? (backoffLimitPerIndex === undefined ? 6 : unlimited)),
		perIndexLimit: indexed ? backoffLimitPerIndex : undefined,
		maxFailedIndexes: spec.maxFailedIndexes,
		suspended: spec.suspend === true,
		waitsForTermination: spec.podReplacementPolicy === "Failed" || podFailurePolicy !== undefined,
		failureRules: podFailurePolicy?.rules,
		successRules: indexed ? successPolicy?.rules : undefined,
		deadlineMs: activeDeadlineSeconds === undefined ? undefined : activeDeadlineSeconds * 1000,
		restartsOnFailure: spec.template.spec.restartPolicy === "OnFailure",
		perNode,
	};
}
