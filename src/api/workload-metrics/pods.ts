import { conditionOf } from "../../core/conditions.ts";
import { controllerOf } from "../../core/object.ts";
import { parseQuantity } from "../../core/quantity.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { containerFamilies } from "./containers.ts";
import {
	addStatus,
	created,
	deletion,
	type Family,
	info,
	labelText,
	ofKind,
	oneOf,
	owners,
	unixTime,
	value,
} from "./family.ts";

/** Reasons of pods that kube-state-metrics distinguishes. */
const statusReasons = [
	"Evicted",
	"NodeAffinity",
	"NodeLost",
	"PreemptionByScheduler",
	"SchedulingGated",
	"Shutdown",
	"TerminationByKubelet",
	"UnexpectedAdmissionError",
];
const disruptionReasons = new Set([
	"PreemptionByScheduler",
	"DeletionByTaintManager",
	"EvictionByEvictionAPI",
	"DeletionByPodGC",
	"TerminationByKubelet",
]);

export const podFamilies = ofKind(pods, ({ metadata: { namespace, name, uid } }) => ({ namespace, pod: name, uid }), [
	info("kube_pod_info", "Information about the pod", (pod) => {
		const by = controllerOf(pod);
		const { status, spec } = pod;
		return {
			host_ip: status?.hostIP,
			pod_ip: status?.podIP,
			node: spec.nodeName,
			created_by_kind: by?.kind,
			created_by_name: by?.name,
			priority_class: spec.priorityClassName,
			host_network: String(spec.hostNetwork ?? false),
		};
	}),
	{
		name: "kube_pod_ips",
		help: "Addresses of the pod",
		each({ status }, add) {
			for (const { ip } of status?.podIPs ?? []) add(1, { ip, ip_family: ip.includes(":") ? "6" : "4" });
		},
	},
	value("kube_pod_start_time", "Time at which the node accepted the pod, in Unix time", ({ status }) =>
		unixTime(status?.startTime),
	),
	value("kube_pod_completion_time", "Time at which its last container terminated, in Unix time", completionTime),
	owners("pod"),
	created("pod"),
	deletion("pod"),
	info("kube_pod_restart_policy", "Restart policy", ({ spec }) => ({
		type: spec.restartPolicy,
	})),
	info("kube_pod_service_account", "Service account", ({ spec }) => ({ service_account: spec.serviceAccountName })),
	info("kube_pod_scheduler", "Scheduler", ({ spec }) => ({ name: spec.schedulerName })),
	info("kube_pod_runtimeclass_name_info", "Runtime class", ({ spec }) =>
		spec.runtimeClassName === undefined ? undefined : { runtimeclass_name: spec.runtimeClassName },
	),
	oneOf(
		"kube_pod_status_phase",
		"Current phase",
		"phase",
		["Pending", "Succeeded", "Failed", "Unknown", "Running"],
		({ status }) => status?.phase,
	),
	oneOf(
		"kube_pod_status_qos_class",
		"Quality of service class",
		"qos_class",
		["BestEffort", "Burstable", "Guaranteed"],
		({ status }) => status?.qosClass,
	),
	condition("kube_pod_status_ready", "Whether it is ready", "Ready"),
	condition("kube_pod_status_scheduled", "Whether it is scheduled", "PodScheduled"),
	since("kube_pod_status_ready_time", "Time since when it is ready, in Unix time", "Ready", "True"),
	since("kube_pod_status_initialized_time", "Time since when it is initialized, in Unix time", "Initialized", "True"),
	since(
		"kube_pod_status_container_ready_time",
		"Time since when its containers are ready, in Unix time",
		"ContainersReady",
		"True",
	),
	since("kube_pod_status_scheduled_time", "Time at which it was scheduled, in Unix time", "PodScheduled", "True"),
	since(
		"kube_pod_status_unscheduled_time",
		"Time since when it is unschedulable, in Unix time",
		"PodScheduled",
		"False",
	),
	info("kube_pod_status_unschedulable", "Whether it is unschedulable", (pod) =>
		conditionOf(pod, "PodScheduled")?.status === "False" ? {} : undefined,
	),
	{
		name: "kube_pod_status_reason",
		help: "Reason of the pod's status",
		each(pod, add) {
			const found = reasonsOf(pod);
			if (found.size > 0) for (const reason of statusReasons) if (found.has(reason)) add(1, { reason });
			const { reason = "" } = pod.status ?? {};
			if (reason !== "" && !statusReasons.includes(reason)) add(1, { reason: "Other" });
		},
	},
	{
		name: "kube_pod_status_disruption_reason",
		help: "Reason of the disruption",
		each(pod, add) {
			const { reason = "" } = conditionOf(pod, "DisruptionTarget") ?? {};
			if (disruptionReasons.has(reason)) add(1, { reason });
		},
	},
	{
		name: "kube_pod_nodeselectors",
		help: "Node selector",
		each({ spec: { nodeSelector } }, add) {
			if (nodeSelector === undefined) {
				add(1);
				return;
			}
			const labels = Object.entries(nodeSelector).map(([key, wanted]) => [
				`nodeselector_${key.replace(/[^a-zA-Z0-9_]/g, "_").replace(/([a-z0-9])([A-Z])/g, "$1_$2")}`.toLowerCase(),
				wanted,
			]);
			add(1, Object.fromEntries(labels));
		},
	},
	{
		name: "kube_pod_tolerations",
		help: "Tolerations",
		each({ spec: { tolerations = [] } }, add) {
			const told = new Set<string>();
			for (const { key, operator, value: wanted, effect, tolerationSeconds } of tolerations) {
				const seconds = tolerationSeconds === undefined ? undefined : String(tolerationSeconds);
				const text = labelText({ key, operator, value: wanted, effect, toleration_seconds: seconds });
				if (!told.has(text)) add(1, text);
				told.add(text);
			}
		},
	},
	claims("kube_pod_spec_volumes_persistentvolumeclaims_info", "Claims that its volumes use", () => 1),
	claims(
		"kube_pod_spec_volumes_persistentvolumeclaims_readonly",
		"Whether the claim is mounted read-only",
		(readOnly) => (readOnly ? 1 : 0),
	),
	overhead("kube_pod_overhead_cpu_cores", "cpu"),
	overhead("kube_pod_overhead_memory_bytes", "memory"),
	...containerFamilies,
]);

function condition(name: string, help: string, type: string): Family<Pod> {
	return {
		name,
		help,
		each(pod, add) {
			const found = conditionOf(pod, type);
			if (found !== undefined) addStatus(add, found.status, "condition");
		},
	};
}

function since(name: string, help: string, type: string, status: string): Family<Pod> {
	return value(name, help, (pod) => {
		const found = conditionOf(pod, type);
		return found?.status === status ? unixTime(found.lastTransitionTime) : undefined;
	});
}

function completionTime({ status }: Pod): number | undefined {
	const ends = (status?.containerStatuses ?? []).map(({ state }) => unixTime(state?.terminated?.finishedAt) ?? 0);
	const last = Math.max(0, ...ends);
	return last > 0 ? last : undefined;
}

const noReasons: ReadonlySet<string> = new Set();

/** Reasons of the pod's status, its conditions, and the termination of its containers. */
function reasonsOf({ status }: Pod): ReadonlySet<string> {
	let found: Set<string> | undefined;
	const note = (reason: string | undefined) => {
		if (reason === undefined) return;
		found ??= new Set();
		found.add(reason);
	};
	note(status?.reason);
	for (const { reason } of status?.conditions ?? []) note(reason);
	for (const { state } of status?.containerStatuses ?? []) note(state?.terminated?.reason);
	return found ?? noReasons;
}

function claims(name: string, help: string, of: (readOnly: boolean) => number): Family<Pod> {
	return {
		name,
		help,
		each({ metadata, spec }, add) {
			for (const { name: volume, persistentVolumeClaim: claim, ephemeral } of spec.volumes ?? []) {
				if (claim !== undefined)
					add(of(claim.readOnly ?? false), { volume, persistentvolumeclaim: claim.claimName, ephemeral: "false" });
				else if (ephemeral !== undefined)
					add(of(false), { volume, persistentvolumeclaim: `${metadata.name}-${volume}`, ephemeral: "true" });
			}
		},
	};
}

function overhead(name: string, resource: string): Family<Pod> {
	return value(name, "Overhead of the pod", ({ spec }) => {
		const quantity = spec.overhead?.[resource];
		return quantity === undefined ? undefined : parseQuantity(quantity);
	});
}
