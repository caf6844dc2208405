/** Which pod is evicted first, and what its status says about it (API page "Node-pressure Eviction"). Pure. */
import { canonicalQuantity, formatQuantity, parseQuantity } from "../../core/quantity.ts";
import type { Container, Pod } from "../../kinds/generated/types.ts";
import type { Shortage } from "../machine/pressure.ts";
import { type ReclaimedResource, signals } from "../machine/signals.ts";
import { specRequests } from "../pod/runtime-resources.ts";

/** What a pod uses. What was not measured is absent. */
export interface PodFigures {
	memoryBytes: number;
	processes: number;
	/** Volumes on disk, writable layers and logs; undefined: not measured. */
	diskBytes?: number;
	containers: ReadonlyMap<string, { memoryBytes: number; diskBytes?: number }>;
}

export interface Candidate {
	pod: Pod;
	/** Absent: nothing is known of it, and it goes first. */
	figures?: PodFigures | undefined;
}

/** The first of them to be evicted comes first. */
export function rank<T extends Candidate>(candidates: readonly T[], resource: ReclaimedResource): T[] {
	// Figures are computed once per pod.
	const weighed = candidates.map((candidate) => ({ candidate, ...weigh(candidate, resource) }));
	weighed.sort(
		(a, b) =>
			Number(a.isKnown) - Number(b.isKnown) ||
			Number(b.exceeds) - Number(a.exceeds) ||
			a.priority - b.priority ||
			b.excess - a.excess,
	);
	return weighed.map(({ candidate }) => candidate);
}

function weigh({ pod, figures }: Candidate, resource: ReclaimedResource) {
	const requests = specRequests(pod.spec);
	const requested = (name: string) => requests.get(name) ?? 0;
	const excess =
		resource === "memory"
			? (figures?.memoryBytes ?? 0) - requested("memory")
			: resource === "pids"
				? (figures?.processes ?? 0)
				: (figures?.diskBytes ?? 0) - requested("ephemeral-storage");
	// Nobody requests processes or inodes.
	const exceeds = (resource === "memory" || resource === "ephemeral-storage") && excess > 0;
	return { isKnown: figures !== undefined, exceeds, priority: pod.spec.priority ?? 0, excess };
}

/** Upstream's words, which end with a blank. */
export function evictionMessage(shortage: Shortage, { pod, figures }: Candidate): string {
	const { resource } = signals[shortage.signal];
	const { threshold, available } = shortage;
	const isBytes = resource === "memory" || resource === "ephemeral-storage";
	const quantity = threshold.isShare ? text(threshold.amount, isBytes) : canonicalQuantity(threshold.text);
	let message = `The node was low on resource: ${resource}. Threshold quantity: ${quantity}, available: ${text(available, isBytes)}. `;
	for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
		const used = usedBy(container, figures, resource);
		const request = requestOf(container, resource);
		if (used === undefined || used <= request.amount) continue;
		message += `Container ${container.name} was using ${text(used, true)}, request is ${request.text}, has larger consumption of ${resource}. `;
	}
	return message;
}

function usedBy({ name }: Container, figures: PodFigures | undefined, resource: string): number | undefined {
	const container = figures?.containers.get(name);
	if (resource === "memory") return container?.memoryBytes;
	return resource === "ephemeral-storage" ? container?.diskBytes : undefined;
}

function requestOf({ resources }: Container, resource: string): { text: string; amount: number } {
	const request = resources?.requests?.[resource];
	if (request === undefined) return { text: "0", amount: 0 };
	return { text: canonicalQuantity(request), amount: parseQuantity(request) };
}

function text(value: number, isBytes: boolean): string {
	return formatQuantity(BigInt(Math.floor(value)) * 1_000_000_000n, isBytes ? "binary" : "decimal");
}
