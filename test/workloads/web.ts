/** What the rollouts of every kind of workload have in common. */
import type { Pod } from "../../src/kinds/generated/types.ts";

/**
 * With faults, controllers have to cope with writes that fail and writes of which they do not learn that they
 * succeeded.
 */
export const trials = [
	{ seed: 1, faults: 0 },
	{ seed: 2, faults: 0 },
	{ seed: 3, faults: 0.05 },
	{ seed: 4, faults: 0.1 },
	{ seed: 5, faults: 0.2 },
];

export const labels = { app: "web" };
export const selector = { matchLabels: labels };
export const ref = { namespace: "default", name: "web" };
export const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "main", image }] } });
export const images = (all: readonly Pod[]) => new Set(all.map(({ spec }) => spec.containers[0]?.image));
export const setImage = (image: string) =>
	({ type: "merge", patch: { spec: { template: { spec: { containers: [{ name: "main", image }] } } } } }) as const;
