/** A job's spec with the API's defaults in place. */
import type { Job, Node, PodFailurePolicyRule, SuccessPolicyRule } from "../../kinds/generated/types.ts";
import { type PerNode, resolvePerNode } from "./per-node.ts";

const unlimited = 2 ** 31 - 1;

export interface ResolvedSpec {
	parallelism: number;
	/** Undefined for a work queue: the first success says that there is nothing left. */
	completions: number | undefined;
	indexed: boolean;
	backoffLimit: number;
	/** Failures that each index may have; undefined: they are counted together. */
	perIndexLimit: number | undefined;
	maxFailedIndexes: number | undefined;
	suspended: boolean;
	/** A pod on its way out is not replaced, and not counted, before it has failed for good. */
	waitsForTermination: boolean;
	failureRules: readonly PodFailurePolicyRule[] | undefined;
	successRules: readonly SuccessPolicyRule[] | undefined;
	deadlineMs: number | undefined;
	restartsOnFailure: boolean;
	/** Where each index is a node's. */
	perNode: PerNode | undefined;
}

/** @param nodes all of the cluster; only for Jobs that run once on each */
export function resolveSpec(job: Job, nodes?: readonly Node[]): ResolvedSpec {
	const { spec } = job;
	const perNode = resolvePerNode(job, nodes);
	const indexed = spec.completionMode === "Indexed" || perNode !== undefined;
	const { podFailurePolicy, successPolicy, activeDeadlineSeconds, backoffLimitPerIndex } = spec;
	return {
		parallelism: spec.parallelism ?? 1,
		// Neither given means one; a parallelism alone makes a work queue.
		completions: perNode?.slots.length ?? spec.completions ?? (spec.parallelism === undefined ? 1 : undefined),
		indexed,
		// A node's failures are no other node's, and counted by its index.
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
