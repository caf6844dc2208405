/** The endpoint's data about the node: health, pods, usage, metrics, configuration. */
import { exposition as familyText, processMetrics } from "../../core/metrics/exposition.ts";
import type { MetricFamily as CountedFamily } from "../../core/metrics/registry.ts";
import type { Container, Pod } from "../../kinds/generated/types.ts";
import { type KubeletSettings, kubeletConfig } from "../context/kubelet-config.ts";
import type { NodeContext } from "../context/node-context.ts";
import type { MachineMeter } from "../machine/machine-usage.ts";
import { claimMetrics, readClaims } from "../usage/claims.ts";
import { exposition, expositionType } from "../usage/exposition.ts";
import { cadvisorMetrics, kubeletMetrics, resourceMetrics } from "../usage/metrics.ts";
import { statsSummary } from "../usage/summary.ts";
import { readUsage } from "../usage/usage.ts";

export interface ReportSources {
	context: NodeContext;
	pods(): Iterable<Pod>;
	settings: KubeletSettings;
	/** Absent on a simulated node. */
	meter?: MachineMeter | undefined;
}

export interface Report {
	contentType: string;
	body: string;
}

/**
 * @param path without leading or trailing slashes
 * @returns undefined for an unknown path
 */
export async function report(sources: ReportSources, path: string): Promise<Report | undefined> {
	const { context, settings, meter } = sources;
	const usage = () => readUsage(context, sources.pods(), meter);
	switch (path) {
		case "healthz":
		case "healthz/ping":
		case "healthz/log":
		case "healthz/syncloop":
			return { contentType: "text/plain; charset=utf-8", body: "ok" };
		case "pods":
			return json(podList([...sources.pods()]));
		case "runningpods":
			return json(podList(runningPods(sources)));
		case "configz":
			return json(kubeletConfig(settings));
		case "stats/summary":
			return json(statsSummary(await usage(), context.node.allocatable));
		case "metrics":
			return agentMetrics(sources);
		case "metrics/probes":
			return counted(context.metrics?.probes ?? []);
		case "metrics/slis":
			return counted(context.metrics?.slis ?? []);
		case "metrics/resource":
			return metrics(resourceMetrics(await usage()));
		case "metrics/cadvisor":
			return metrics(cadvisorMetrics(await usage()));
		default:
			return undefined;
	}
}

function json(value: unknown): Report {
	return { contentType: "application/json", body: JSON.stringify(value) };
}

function metrics(families: Parameters<typeof exposition>[0]): Report {
	return { contentType: expositionType, body: exposition(families) };
}

/** The agent's own counters and those of its libraries. */
async function agentMetrics({ context, pods, meter }: ReportSources): Promise<Report> {
	const claims = meter === undefined ? [] : await readClaims(pods(), context.view);
	const own = exposition([...kubeletMetrics(context.node.name, pods(), context.view), ...claimMetrics(claims)]);
	const parts = await Promise.all([familyText(context.metrics?.registry.families ?? []), processMetrics()]);
	return { contentType: expositionType, body: own + parts.join("") };
}

async function counted(families: readonly CountedFamily[]): Promise<Report> {
	return { contentType: expositionType, body: await familyText(families) };
}

function podList(items: readonly object[]): object {
	return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

/** The runtime's pods that have a sandbox, regardless of the API. */
function runningPods({ context, pods }: ReportSources): object[] {
	return [...pods()].flatMap(({ metadata: { name, namespace, uid } }) => {
		const { sandboxes, containers } = context.view.of(uid);
		if (!sandboxes.some(({ state }) => state === "ready")) return [];
		const running = containers
			.filter(({ state }) => state === "running")
			.map(({ config }): Container => ({ name: config.name, image: config.image, resources: {} }));
		return [{ metadata: { name, namespace, uid, creationTimestamp: null }, spec: { containers: running }, status: {} }];
	});
}
