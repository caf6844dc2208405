/** The Targets column of `kubectl get hpa`. */
import type { V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from "../generated/types.ts";

const shown = 2;
const unknown = "<unknown>";

export function targetsText({ spec, status }: V2HorizontalPodAutoscaler): string {
	const metrics = spec.metrics ?? [];
	if (metrics.length === 0) return "<none>";
	const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]));
	const list = texts.slice(0, shown).join(", ");
	return texts.length > shown ? `${list} + ${texts.length - shown} more...` : list;
}

function metricText(metric: V2MetricSpec, now: V2MetricStatus | undefined): string {
	switch (metric.type) {
		case "Resource":
		case "ContainerResource": {
			const source = metric.type === "Resource" ? metric.resource : metric.containerResource;
			const current = (metric.type === "Resource" ? now?.resource : now?.containerResource)?.current;
			const name = `${source?.name}: `;
			if (source?.target.averageValue !== undefined)
				return `${name}${current?.averageValue ?? unknown}/${source.target.averageValue}`;
			const used = current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`;
			const wanted = source?.target.averageUtilization;
			return `${name}${used}/${wanted === undefined ? "<auto>" : `${wanted}%`}`;
		}
		case "Pods":
			return `${now?.pods?.current.averageValue ?? unknown}/${metric.pods?.target.averageValue}`;
		case "Object":
		case "External": {
			const source = metric.type === "Object" ? metric.object : metric.external;
			const current = (metric.type === "Object" ? now?.object : now?.external)?.current;
			if (source?.target.averageValue !== undefined)
				return `${current?.averageValue ?? unknown}/${source.target.averageValue} (avg)`;
			return `${current?.value ?? unknown}/${source?.target.value}`;
		}
		default:
			return "<unknown type>";
	}
}
