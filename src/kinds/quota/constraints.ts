/** Fields that every container must set if a quota limits them. */
import type { PodSpec } from "../generated/types.ts";
import { computeUsage } from "./quota-usage.ts";

const mustBeStated = ["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);

/**
 * @param names resources that the quota limits
 * @returns upstream's message, such as `must specify limits.cpu for: web,proxy; memory for: web`; undefined if nothing
 * is missing
 */
export function unstated(
	{ containers, initContainers = [], resources = {} }: PodSpec,
	names: readonly string[],
): string | undefined {
	const wanted = mustBeStated.filter((name) => names.includes(name)).sort();
	// Pod-level resources count for all containers.
	const saidOfAll = computeUsage(resources);
	const complaints: string[] = [];
	for (const name of wanted) {
		if (saidOfAll[name] !== undefined) continue;
		const silent = [...containers, ...initContainers]
			.filter((container) => computeUsage(container.resources ?? {})[name] === undefined)
			.map((container) => container.name)
			.sort();
		if (silent.length > 0) complaints.push(`${name} for: ${silent.join(",")}`);
	}
	return complaints.length === 0 ? undefined : `must specify ${complaints.join("; ")}`;
}
