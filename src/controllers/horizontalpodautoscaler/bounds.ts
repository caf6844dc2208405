/**
 * Limits how fast and how far the number of replicas may change (API reference, HorizontalPodAutoscalerBehavior). Pure.
 */
import type { V2HorizontalPodAutoscaler, V2HPAScalingRules } from "../../kinds/generated/types.ts";

/** The memory of an autoscaler. It is lost with the controller, as upstream. */
export interface History {
	/** UID of the autoscaler: a new one with the same name has no memory. */
	uid: string;
	/** Replicas that metrics asked for. */
	recommendations: readonly { atMs: number; replicas: number }[];
	/** Replicas added (negative: removed). */
	changes: readonly { atMs: number; change: number }[];
	/** The last requested change, which may have failed. */
	asked?: { atMs: number; from: number; to: number };
}

export interface Bounded {
	replicas: number;
	stabilized: { reason: string; message: string } | undefined;
	limited: boolean;
	limit: { reason: string; message: string };
}

const downStabilizationSeconds = 300;
const longestMemoryMs = 3_600_000;

const higher = {
	reason: "ScaleDownStabilized",
	message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const lower = {
	reason: "ScaleUpStabilized",
	message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const inRange = { reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" };
const tooMany = {
	reason: "TooManyReplicas",
	message: "the desired replica count is more than the maximum replica count",
};
const tooFew = {
	reason: "TooFewReplicas",
	message: "the desired replica count is less than the minimum replica count",
};
const tooFastUp = {
	reason: "ScaleUpLimit",
	message: "the desired replica count is increasing faster than the maximum scale rate",
};
const tooFastDown = {
	reason: "ScaleDownLimit",
	message: "the desired replica count is decreasing faster than the maximum scale rate",
};

/** The current history: includes the last requested change if it took effect, and drops entries that no rule uses. */
export function recalled(
	history: History | undefined,
	{ metadata: { uid } }: V2HorizontalPodAutoscaler,
	currentReplicas: number,
	nowMs: number,
): History {
	const sinceMs = nowMs - longestMemoryMs;
	const begun: History = { uid, recommendations: [{ atMs: nowMs, replicas: currentReplicas }], changes: [] };
	const { recommendations, changes, asked } = history?.uid === uid ? history : begun;
	const done = asked !== undefined && asked.to === currentReplicas;
	return {
		uid,
		recommendations: recommendations.filter(({ atMs }) => atMs >= sinceMs),
		changes: [
			...changes.filter(({ atMs }) => atMs >= sinceMs),
			...(done ? [{ atMs: asked.atMs, change: asked.to - asked.from }] : []),
		],
	};
}

/** @param wanted replicas that the metrics ask for */
export function bounded(
	{ spec }: V2HorizontalPodAutoscaler,
	history: History,
	{ wanted, current, nowMs }: { wanted: number; current: number; nowMs: number },
): Bounded {
	const { minReplicas = 1, maxReplicas, behavior } = spec;
	const stable =
		behavior === undefined
			? // With that very moment, as upstream has it here and not below.
				Math.max(wanted, ...recent(history, downStabilizationSeconds, nowMs - 1))
			: stabilize(history, behavior, { wanted, current, nowMs });
	const stabilized = stable === wanted ? undefined : behavior !== undefined && wanted >= current ? lower : higher;
	const { replicas, limit } =
		behavior === undefined
			? withinRange(stable, current, minReplicas, maxReplicas)
			: withinPolicies(stable, current, { minReplicas, maxReplicas, behavior }, history, nowMs);
	return { replicas, stabilized, limited: replicas !== stable, limit };
}

function recent({ recommendations }: History, windowSeconds: number, nowMs: number): number[] {
	return recommendations.filter(({ atMs }) => atMs > nowMs - windowSeconds * 1000).map(({ replicas }) => replicas);
}

type Behavior = NonNullable<V2HorizontalPodAutoscaler["spec"]["behavior"]>;

function stabilize(
	history: History,
	{ scaleUp, scaleDown }: Behavior,
	{ wanted, current, nowMs }: { wanted: number; current: number; nowMs: number },
): number {
	const least = Math.min(wanted, ...recent(history, scaleUp?.stabilizationWindowSeconds ?? 0, nowMs));
	const downSeconds = scaleDown?.stabilizationWindowSeconds ?? downStabilizationSeconds;
	const most = Math.max(wanted, ...recent(history, downSeconds, nowMs));
	return Math.min(Math.max(current, least), most);
}

function noMoreThan(maxReplicas: number, upLimit: number, wanted: number) {
	const most = Math.min(maxReplicas, upLimit);
	if (wanted > most) return { replicas: most, limit: maxReplicas > upLimit ? tooFastUp : tooMany };
	return { replicas: wanted, limit: inRange };
}

/** Without a behavior: at most twice as many, or four. */
function withinRange(wanted: number, current: number, minReplicas: number, maxReplicas: number) {
	if (wanted < minReplicas) return { replicas: minReplicas, limit: tooFew };
	return noMoreThan(maxReplicas, Math.max(2 * current, 4), wanted);
}

function withinPolicies(
	wanted: number,
	current: number,
	{ minReplicas, maxReplicas, behavior }: { minReplicas: number; maxReplicas: number; behavior: Behavior },
	{ changes }: History,
	nowMs: number,
) {
	const startOf = (seconds: number) =>
		changes
			.filter(({ atMs }) => atMs > nowMs - seconds * 1000)
			.reduce((replicas, { change }) => replicas - change, current);
	if (wanted > current) {
		const upLimit = Math.max(rateLimit(behavior.scaleUp, current, startOf, 1), current);
		return noMoreThan(maxReplicas, upLimit, wanted);
	}
	if (wanted < current) {
		const downLimit = Math.min(rateLimit(behavior.scaleDown, current, startOf, -1), current);
		const least = Math.max(minReplicas, downLimit);
		if (wanted < least) return { replicas: least, limit: minReplicas < downLimit ? tooFastDown : tooFew };
	}
	return { replicas: wanted, limit: inRange };
}

/**
 * The limit that the policies set.
 * @param startOf replicas this number of seconds ago
 */
function rateLimit(
	rules: V2HPAScalingRules | undefined,
	current: number,
	startOf: (seconds: number) => number,
	direction: 1 | -1,
): number {
	const { selectPolicy = "Max", policies = [] } = rules ?? {};
	if (selectPolicy === "Disabled") return current;
	const proposals = policies.map(({ type, value, periodSeconds }) => {
		const start = startOf(periodSeconds);
		if (type === "Pods") return start + direction * value;
		const scaled = start * (1 + (direction * value) / 100);
		// Rounded so that a small percentage still allows a change.
		return direction === 1 ? Math.ceil(scaled - 1e-9) : Math.trunc(scaled + 1e-9);
	});
	const wantsMost = (selectPolicy === "Max") === (direction === 1);
	return wantsMost ? Math.max(...proposals) : Math.min(...proposals);
}
