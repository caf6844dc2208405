/** The downward API of a pod: `fieldRef` and `resourceFieldRef`. Pure. */
import { parseQuantity } from "../../../core/quantity.ts";
import type { ObjectFieldSelector, Pod, ResourceFieldSelector } from "../../../kinds/generated/types.ts";

export interface FieldContext {
	nodeName: string;
	hostAddresses: readonly string[];
	podAddresses: readonly string[];
	/** Base units. */
	allocatable: ReadonlyMap<string, number>;
}

/** @returns undefined for a path that the downward API does not support */
export function fieldValue(pod: Pod, { fieldPath }: ObjectFieldSelector, context: FieldContext): string | undefined {
	const { metadata, spec } = pod;
	const key = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
	if (key !== null) {
		const map = key[1] === "labels" ? metadata.labels : metadata.annotations;
		return map?.[key[2] ?? ""] ?? "";
	}
	switch (fieldPath) {
		case "metadata.name":
			return metadata.name;
		case "metadata.namespace":
			return metadata.namespace ?? "";
		case "metadata.uid":
			return metadata.uid;
		case "metadata.labels":
			return formatMap(metadata.labels);
		case "metadata.annotations":
			return formatMap(metadata.annotations);
		case "spec.nodeName":
			return context.nodeName;
		case "spec.serviceAccountName":
			return spec.serviceAccountName ?? "default";
		case "status.hostIP":
			return context.hostAddresses[0] ?? "";
		case "status.hostIPs":
			return context.hostAddresses.join(",");
		case "status.podIP":
			return context.podAddresses[0] ?? "";
		case "status.podIPs":
			return context.podAddresses.join(",");
		default:
			return undefined;
	}
}

/** One line `key="value"` per entry, sorted, with quotes and backslashes escaped. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
	return Object.entries(map ?? {})
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, value]) => `${key}=${JSON.stringify(value)}`)
		.join("\n");
}

/**
 * A container's request or limit in units of the divisor, rounded up. Without a limit, the node's allocatable amount.
 * @param containerName used if the selector names none
 * @returns undefined for an unknown container or resource
 */
export function resourceValue(
	pod: Pod,
	selector: ResourceFieldSelector,
	containerName: string,
	context: FieldContext,
): string | undefined {
	const name = selector.containerName ?? containerName;
	const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((each) => each.name === name);
	const [list, resource = ""] = splitOnce(selector.resource);
	if (container === undefined || (list !== "limits" && list !== "requests")) return undefined;
	const { limits, requests } = container.resources ?? {};
	const quantity = list === "limits" ? limits?.[resource] : (requests?.[resource] ?? limits?.[resource]);
	const amount =
		quantity !== undefined ? parseQuantity(quantity) : list === "limits" ? (context.allocatable.get(resource) ?? 0) : 0;
	const divisor = selector.divisor === undefined || selector.divisor === "0" ? 1 : parseQuantity(selector.divisor);
	return String(Math.ceil(Number((amount / divisor).toPrecision(12))));
}

function splitOnce(path: string): [string, string | undefined] {
	const dot = path.indexOf(".");
	return dot < 0 ? [path, undefined] : [path.slice(0, dot), path.slice(dot + 1)];
}
