/** `/stats/summary`: what the node and its containers use (kubelet's stats v1alpha1). */
import { freemem, loadavg, totalmem } from "node:os";
import { timestamp } from "../../core/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { NodeContext } from "../node-context.ts";

export async function statsSummary({ runtime, view, node, clock }: NodeContext, pods: Iterable<Pod>): Promise<object> {
	const time = timestamp(clock.now());
	const byContainer = new Map((await runtime.stats()).map((stats) => [stats.containerId, stats]));
	const podStats = [...pods].map((pod) => {
		const { name, namespace, uid } = pod.metadata;
		const containers = view.of(uid).containers.flatMap((container) => {
			const stats = byContainer.get(container.id);
			if (stats === undefined) return [];
			return [
				{
					name: container.config.name,
					startTime: timestamp(container.startedAtMs ?? container.createdAtMs),
					cpu: { time, usageCoreNanoSeconds: stats.cpuNanoseconds },
					memory: { time, usageBytes: stats.memoryBytes, workingSetBytes: stats.memoryBytes },
				},
			];
		});
		const cpu = containers.reduce((sum, each) => sum + each.cpu.usageCoreNanoSeconds, 0);
		const memory = containers.reduce((sum, each) => sum + each.memory.workingSetBytes, 0);
		return {
			podRef: { name, namespace, uid },
			startTime: pod.status?.startTime ?? time,
			containers,
			cpu: { time, usageCoreNanoSeconds: cpu },
			memory: { time, usageBytes: memory, workingSetBytes: memory },
		};
	});
	const used = totalmem() - freemem();
	return {
		node: {
			nodeName: node.name,
			cpu: { time, usageNanoCores: Math.round((loadavg()[0] ?? 0) * 1e9) },
			memory: { time, usageBytes: used, workingSetBytes: used, availableBytes: freemem() },
		},
		pods: podStats,
	};
}
