/** What the package gives to tests, besides the cluster itself: `coxswain/testing`. */

export {
	type ConditionOptions,
	ExpectationError,
	type ExpectedObject,
	type ExpectOptions,
} from "./fixtures/expectation.ts";
export { type ClusterMatchers, matchers } from "./fixtures/matchers.ts";
export type { Runner } from "./fixtures/runners.ts";
export type { Timeline } from "./fixtures/timeline.ts";
export { type ClusterFixture, type FixtureOptions, useCluster } from "./fixtures/use-cluster.ts";
