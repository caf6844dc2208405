/** Which fields of a pod may change after its creation (API reference, "Pod update and replacement"). */
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { deepCopy } from "../../core/object.ts";
import { immutable, ipAddress } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue } from "../../core/validation/field-errors.ts";
import type { Container, NodeSelector, Pod, PodSpec, ResourceRequirements, Toleration } from "../generated/types.ts";
import { qosClass } from "./pod-qos.ts";

const updatable = [
	"`spec.containers[*].image`",
	"`spec.initContainers[*].image`",
	"`spec.activeDeadlineSeconds`",
	"`spec.tolerations` (only additions to existing tolerations)",
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];

/** Updates of the pod itself; the subresources ephemeralcontainers and resize have rules of their own below. */
export function validatePodUpdate(pod: Pod, old: Pod): Cause[] {
	const causes: Cause[] = [];
	const { spec } = pod;
	const counts = ["containers", "initContainers"] as const;
	for (const field of counts)
		if ((spec[field] ?? []).length !== (old.spec[field] ?? []).length)
			causes.push(forbidden(`spec.${field}`, "pod updates may not add or remove containers"));
	if (causes.length > 0) return causes;
	causes.push(...deadline(spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds));
	causes.push(...tolerations(spec.tolerations ?? [], old.spec.tolerations ?? []));
	causes.push(...gates(spec, old.spec));
	if (causes.length > 0) return causes;
	const expected = deepCopy(spec);
	restore(expected, old.spec);
	if (!semanticEqual(expected, old.spec)) {
		const changed = changedPaths(expected, old.spec, "spec");
		causes.push(
			forbidden("spec", `pod updates may not change fields other than ${updatable.join(",")}\n${changed.join("\n")}\n`),
		);
	}
	return causes;
}

/** Restores the old values of fields that may change. */
function restore(spec: PodSpec, old: PodSpec): void {
	for (const field of ["containers", "initContainers"] as const)
		for (const [index, container] of (spec[field] ?? []).entries()) {
			const image = old[field]?.[index]?.image;
			if (image !== undefined) container.image = image;
		}
	assign(spec, "activeDeadlineSeconds", old.activeDeadlineSeconds);
	assign(spec, "tolerations", old.tolerations);
	assign(spec, "schedulingGates", old.schedulingGates);
	if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
		assign(spec, "terminationGracePeriodSeconds", old.terminationGracePeriodSeconds);
	if ((old.schedulingGates ?? []).length === 0) return;
	// Changes that `gates` allowed for a pod that was not scheduled yet.
	assign(spec, "nodeSelector", old.nodeSelector);
	assign(spec, "affinity", old.affinity);
}

function assign<K extends keyof PodSpec>(spec: PodSpec, field: K, value: PodSpec[K] | undefined): void {
	if (value === undefined) delete spec[field];
	else spec[field] = value;
}

function deadline(value: number | undefined, old: number | undefined): Cause[] {
	const path = "spec.activeDeadlineSeconds";
	if (old === undefined || value === old) return [];
	if (value === undefined) return [invalidValue(path, null, "must not update from a positive integer to nil value")];
	return value > old ? [invalidValue(path, value, "must be less than or equal to previous value")] : [];
}

function tolerations(next: readonly Toleration[], old: readonly Toleration[]): Cause[] {
	// Compared as texts, because both lists may be long.
	const texts = new Set(next.map(withoutSeconds));
	if (old.every((toleration) => texts.has(withoutSeconds(toleration)))) return [];
	return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")];
}

function withoutSeconds({ key, operator, value, effect }: Toleration): string {
	return JSON.stringify([key, operator, value, effect]);
}

/** Gates may only be removed; while there are any, node selectors and node affinity may become stricter. */
function gates(spec: PodSpec, old: PodSpec): Cause[] {
	const causes: Cause[] = [];
	const before = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
	for (const { name } of spec.schedulingGates ?? [])
		if (!before.has(name))
			causes.push(
				forbidden("spec.schedulingGates", `only deletion is allowed, but found new scheduling gate '${name}'`),
			);
	if (before.size === 0) return causes;
	for (const [key, value] of Object.entries(old.nodeSelector ?? {}))
		if (spec.nodeSelector?.[key] !== value) {
			causes.push(
				invalidValue("spec.nodeSelector", spec.nodeSelector, "only additions are allowed (no mutations or deletions)"),
			);
			break;
		}
	const field = "requiredDuringSchedulingIgnoredDuringExecution";
	const [next, previous] = [spec.affinity?.nodeAffinity?.[field], old.affinity?.nodeAffinity?.[field]];
	if (previous !== undefined && !isStricter(next, previous))
		causes.push(
			invalidValue(
				`spec.affinity.nodeAffinity.${field}`,
				next,
				"only additions are allowed (no mutations or deletions)",
			),
		);
	for (const part of ["podAffinity", "podAntiAffinity"] as const)
		if (!semanticEqual(spec.affinity?.[part], old.affinity?.[part]))
			causes.push(invalidValue(`spec.affinity.${part}`, spec.affinity?.[part], "field is immutable"));
	return causes;
}

/** Every term keeps its requirements, and may have additional ones. */
function isStricter(next: NodeSelector | undefined, old: NodeSelector): boolean {
	const terms = next?.nodeSelectorTerms ?? [];
	return (
		terms.length === old.nodeSelectorTerms.length &&
		old.nodeSelectorTerms.every((term, index) =>
			(["matchExpressions", "matchFields"] as const).every((part) =>
				(term[part] ?? []).every((requirement, position) =>
					semanticEqual(requirement, terms[index]?.[part]?.[position]),
				),
			),
		)
	);
}

/** Paths of the fields in which two values differ, each marked with `+`, `-` or `~`. */
function changedPaths(next: unknown, old: unknown, path: string): string[] {
	if (semanticEqual(next, old)) return [];
	const structures = typeof next === "object" && typeof old === "object" && next !== null && old !== null;
	if (!structures) return [`${next === undefined ? "-" : old === undefined ? "+" : "~"} ${path}`];
	// Both are objects or arrays; fields are read by name or index.
	const [first, second] = [next as Record<string, unknown>, old as Record<string, unknown>];
	const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
	return [...keys].flatMap((key) =>
		changedPaths(first[key], second[key], Array.isArray(next) ? `${path}[${key}]` : `${path}.${key}`),
	);
}

/** Updates of the status subresource. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): Cause[] {
	const causes: Cause[] = [];
	const name = pod.status?.nominatedNodeName;
	if (name !== undefined && /[^-.a-z0-9]/.test(name))
		causes.push(invalidValue("status.nominatedNodeName", name, "must be a valid node name"));
	if (old.status?.qosClass !== undefined)
		causes.push(...immutable(pod.status?.qosClass, old.status.qosClass, "status.qosClass"));
	causes.push(...restarted(pod, old), ...addressProblems(pod, old));
	return causes;
}

/** Those that earlier versions let in may stay. */
function addressProblems({ status = {} }: Pod, { status: before = {} }: Pod): Cause[] {
	const { podIP = "", podIPs = [], hostIPs = [] } = status;
	const known = [before.podIP ?? "", ...[...(before.podIPs ?? []), ...(before.hostIPs ?? [])].map(({ ip }) => ip)];
	const check = (ip: string, path: string) => (known.includes(ip) ? [] : ipAddress(ip, path));
	return [
		// Upstream keeps it as the first of the list.
		...(podIP === "" || podIP === podIPs[0]?.ip ? [] : check(podIP, "status.podIPs[0]")),
		...podIPs.flatMap(({ ip }, index) => check(ip, `status.podIPs[${index}]`)),
		...hostIPs.flatMap(({ ip }, index) => check(ip, `status.hostIPs[${index}]`)),
	];
}

/** A container that terminated for good must not restart, according to its own rules and policy, or else the pod's. */
function restarted(pod: Pod, old: Pod): Cause[] {
	if (pod.spec.restartPolicy === "Always" || mayRestartAll(pod.spec)) return [];
	const causes: Cause[] = [];
	const statusesBefore = byName(old.status?.containerStatuses);
	const containers = byName(pod.spec.containers);
	for (const [index, status] of (pod.status?.containerStatuses ?? []).entries()) {
		const ended = statusesBefore.get(status.name)?.state?.terminated;
		if (ended === undefined || status.state?.terminated !== undefined) continue;
		if (!mayRestart(containers.get(status.name), ended.exitCode, pod.spec.restartPolicy))
			causes.push(
				forbidden(`status.containerStatuses[${index}].state`, "may not be transitioned to non-terminated state"),
			);
	}
	return causes;
}

/** If several have the same name, the last one counts; validation rejects them. */
function byName<T extends { name: string }>(items: readonly T[] = []): Map<string, T> {
	return new Map(items.map((item) => [item.name, item]));
}

function mayRestart(container: Container | undefined, exitCode: number, podPolicy: string | undefined): boolean {
	for (const { exitCodes } of container?.restartPolicyRules ?? []) {
		const listed = exitCodes?.values?.includes(exitCode) ?? false;
		if (exitCodes?.operator === "NotIn" ? !listed : listed) return true;
	}
	const policy = container?.restartPolicy ?? podPolicy;
	return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Whether a container of the pod may restart all of them, whatever their state (KEP-5532). */
function mayRestartAll({ initContainers = [], containers = [] }: PodSpec): boolean {
	return [...initContainers, ...containers].some((container) =>
		container.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
	);
}

/** Updates of the ephemeralcontainers subresource: containers may be added, nothing else may change. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): Cause[] {
	const causes: Cause[] = [];
	const sent = byName(pod.spec.ephemeralContainers);
	for (const container of old.spec.ephemeralContainers ?? []) {
		const next = sent.get(container.name);
		if (next === undefined)
			causes.push(
				forbidden("spec.ephemeralContainers", `existing ephemeral containers "${container.name}" may not be removed`),
			);
		else if (!semanticEqual(next, container))
			causes.push(
				forbidden("spec.ephemeralContainers", `existing ephemeral containers "${container.name}" may not be changed`),
			);
	}
	return causes;
}

/** Updates of the resize subresource: only CPU and memory of containers may change (KEP-1287). */
export function validateResize(pod: Pod, old: Pod): Cause[] {
	const causes: Cause[] = [];
	const expected = deepCopy(pod.spec);
	for (const field of ["initContainers", "containers"] as const) {
		const [next, before] = [expected[field] ?? [], old.spec[field] ?? []];
		if (next.length !== before.length)
			return [forbidden(`spec.${field}`, "containers may not be added or removed on resize")];
		for (const [index, container] of next.entries()) {
			const previous = before[index];
			if (previous !== undefined) causes.push(...resizedContainer(container, previous, `spec.${field}[${index}]`));
		}
	}
	causes.push(...resizedResources(expected.resources, old.spec.resources, "spec.resources"));
	assign(expected, "resources", old.spec.resources);
	if (qosClass(pod.spec) !== (old.status?.qosClass ?? qosClass(old.spec)))
		causes.push(invalidValue("spec", qosClass(pod.spec), "Pod QOS Class may not change as a result of resizing"));
	if (causes.length === 0 && !semanticEqual(expected, old.spec))
		causes.push(forbidden("spec", "only cpu and memory resources are mutable"));
	return causes;
}

/** Validates one container's new resources. Restores the old ones, so that other changes can be detected. */
function resizedContainer(container: Container, before: Container, path: string): Cause[] {
	const causes: Cause[] = [];
	if (container.name !== before.name)
		causes.push(forbidden(`${path}.name`, "containers may not be renamed or reordered on resize"));
	causes.push(...resizedResources(container.resources, before.resources, `${path}.resources`));
	if (before.resources === undefined) delete container.resources;
	else container.resources = before.resources;
	return causes;
}

function resizedResources(
	next: ResourceRequirements | undefined,
	before: ResourceRequirements | undefined,
	path: string,
): Cause[] {
	const causes: Cause[] = [];
	for (const part of ["limits", "requests"] as const)
		for (const name of Object.keys({ ...next?.[part], ...before?.[part] })) {
			const [wanted, previous] = [next?.[part]?.[name], before?.[part]?.[name]];
			if (wanted === previous) continue;
			if (name !== "cpu" && name !== "memory")
				causes.push(forbidden(`${path}.${part}`, "only cpu and memory resources are mutable"));
			else if (wanted === undefined && previous !== undefined)
				causes.push(forbidden(`${path}.${part}`, `resource ${part} cannot be removed`));
		}
	return causes;
}
