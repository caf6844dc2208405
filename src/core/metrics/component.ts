/** What every component says of itself: its version, and whether it is well. */
import type { MetricRegistry } from "./registry.ts";

/** @param gitVersion `v1.36.0+coxswain` @param gitCommit asked when someone looks */
export function describeBuild(metrics: MetricRegistry, gitVersion: string, gitCommit: () => string = () => ""): void {
	const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
	const labels = ["major", "minor", "git_version", "git_commit", "platform"];
	const platform = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
	metrics.gauge("kubernetes_build_info", "The version of Kubernetes that is spoken; always 1", labels, () => [
		[[major, minor, gitVersion, gitCommit(), platform], 1],
	]);
}

/**
 * @param checks names of checks by the kind of health that they are about, such as `livez`. Who answers at all passes
 * them.
 */
export function describeHealth(metrics: MetricRegistry, checks: Readonly<Record<string, readonly string[]>>): void {
	const each = () => Object.entries(checks).flatMap(([type, names]) => names.map((name) => [name, type] as const));
	metrics.gauge("kubernetes_healthcheck", "1 for a health check that passes", ["name", "type"], () =>
		each().map((labels) => [labels, 1]),
	);
	// Each scrape is a check: if the component were unhealthy, it could not respond.
	let count = 0;
	metrics.counterOf(
		"kubernetes_healthchecks_total",
		"Health checks by their result",
		["name", "status", "type"],
		() => {
			count++;
			return each().map(([name, type]) => [[name, "success", type], count]);
		},
	);
}
