/** Containers, init containers and ephemeral containers of a pod spec. */

import type { Cause } from "../../../core/errors.ts";
import { oneOf, portNumber, requiredOneOf } from "../../../core/validation/field-checks.ts";
import {
	duplicate,
	forbidden,
	invalidEach,
	invalidValue,
	notFoundValue,
	required,
} from "../../../core/validation/field-errors.ts";
import { dnsLabelProblems, portNameProblems } from "../../../core/validation/names.ts";
import type { Container, ContainerPort, EphemeralContainer, PodSpec, VolumeMount } from "../../generated/types.ts";
import { validateEnvironment, validateEnvironmentFrom, validateFileVariables } from "./environment.ts";
import { validateProbesAndHooks } from "./probes.ts";
import { pullPolicies } from "./pull-policy.ts";
import { validateResources } from "./resource-requirements.ts";
import { validateSecurityContext } from "./security.ts";
import { isSidecar } from "./sidecars.ts";

interface PodContext {
	spec: PodSpec;
	volumeNames: ReadonlySet<string>;
	claimNames: ReadonlySet<string>;
	/** Names of containers and init containers. */
	containerNames: ReadonlySet<string>;
}

/** All containers of the pod, whose names must be unique. */
export function validateContainers(spec: PodSpec, path: string): Cause[] {
	const context: PodContext = {
		spec,
		volumeNames: new Set((spec.volumes ?? []).map((volume) => volume.name)),
		claimNames: new Set(spec.resourceClaims?.map((claim) => claim.name)),
		containerNames: new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name)),
	};
	const causes: Cause[] = [];
	const names = new Set<string>();
	const containers = spec.containers ?? [];
	if (containers.length === 0) causes.push(required(`${path}.containers`));
	const hostPorts = new Set<string>();
	for (const [index, container] of containers.entries()) {
		const at = `${path}.containers[${index}]`;
		causes.push(...uniqueName(container.name, names, at), ...anyContainer(container, context, at));
		causes.push(...hostPortConflicts(container.ports, hostPorts, `${at}.ports`));
		causes.push(...validateProbesAndHooks(container, spec.terminationGracePeriodSeconds ?? 30, at));
		causes.push(...restartRules(container, at));
	}
	for (const [index, container] of (spec.initContainers ?? []).entries()) {
		const at = `${path}.initContainers[${index}]`;
		causes.push(...uniqueName(container.name, names, at), ...anyContainer(container, context, at));
		causes.push(...hostPortConflicts(container.ports, new Set(), `${at}.ports`));
		if (isSidecar(container))
			causes.push(...validateProbesAndHooks(container, spec.terminationGracePeriodSeconds ?? 30, at));
		else causes.push(...initOnly(container, at));
		causes.push(...restartRules(container, at));
	}
	for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
		const at = `${path}.ephemeralContainers[${index}]`;
		causes.push(...uniqueName(container.name, names, at), ...anyContainer(container, context, at));
		causes.push(...ephemeralOnly(container, context, at));
	}
	return causes;
}

function uniqueName(name: string, names: Set<string>, path: string): Cause[] {
	if (!name) return [required(`${path}.name`)];
	const causes = invalidEach(`${path}.name`, name, dnsLabelProblems(name));
	if (names.has(name)) causes.push(duplicate(`${path}.name`, name));
	names.add(name);
	return causes;
}

function anyContainer(container: Container | EphemeralContainer, context: PodContext, path: string): Cause[] {
	const image = container.image ?? "";
	const causes: Cause[] = [];
	if (image === "") causes.push(required(`${path}.image`));
	else if (image !== image.trim())
		causes.push(invalidValue(`${path}.image`, image, "must not have leading or trailing whitespace"));
	causes.push(
		...requiredOneOf(
			container.terminationMessagePolicy,
			["FallbackToLogsOnError", "File"],
			`${path}.terminationMessagePolicy`,
		),
		...ports(container.ports, context.spec.hostNetwork === true, `${path}.ports`),
		...validateEnvironment(container.env, `${path}.env`),
		...validateFileVariables(container.env, context.volumeNames, `${path}.env`),
		...validateEnvironmentFrom(container.envFrom, `${path}.envFrom`),
		...mounts(container, context, path),
		...requiredOneOf(container.imagePullPolicy, pullPolicies, `${path}.imagePullPolicy`),
		...validateResources(container.resources, `${path}.resources`, "container", context.claimNames),
		...validateSecurityContext(container.securityContext, `${path}.securityContext`),
		...resizePolicies(container, context.spec, `${path}.resizePolicy`),
	);
	return causes;
}

function ports(list: readonly ContainerPort[] | undefined, hostNetwork: boolean, path: string): Cause[] {
	const causes: Cause[] = [];
	const names = new Set<string>();
	for (const [index, { name, containerPort, hostPort, protocol }] of (list ?? []).entries()) {
		const at = `${path}[${index}]`;
		if (name) {
			const problems = portNameProblems(name);
			causes.push(...invalidEach(`${at}.name`, name, problems));
			if (problems.length === 0 && names.has(name)) causes.push(duplicate(`${at}.name`, name));
			names.add(name);
		}
		if (!containerPort) causes.push(required(`${at}.containerPort`));
		else causes.push(...portNumber(containerPort, `${at}.containerPort`));
		if (hostPort) {
			causes.push(...portNumber(hostPort, `${at}.hostPort`));
			if (hostNetwork && hostPort !== containerPort)
				causes.push(
					invalidValue(`${at}.containerPort`, containerPort, "must match `hostPort` when `hostNetwork` is true"),
				);
		}
		causes.push(...requiredOneOf(protocol, ["SCTP", "TCP", "UDP"], `${at}.protocol`));
	}
	return causes;
}

/** How a container handles in-place changes of its resources (KEP-1287). */
function resizePolicies(container: Container | EphemeralContainer, spec: PodSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	const names = new Set<string>();
	for (const [index, { resourceName, restartPolicy }] of (container.resizePolicy ?? []).entries()) {
		const at = `${path}[${index}]`;
		if (names.has(resourceName)) causes.push(duplicate(at, resourceName));
		names.add(resourceName);
		causes.push(...requiredOneOf(resourceName, ["cpu", "memory"], at));
		causes.push(...requiredOneOf(restartPolicy, ["NotRequired", "RestartContainer"], at));
		if (spec.restartPolicy === "Never" && restartPolicy === "RestartContainer")
			causes.push(invalidValue(at, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
	}
	return causes;
}

function hostPortConflicts(list: readonly ContainerPort[] | undefined, taken: Set<string>, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { hostPort, hostIP, protocol }] of (list ?? []).entries()) {
		if (!hostPort) continue;
		const key = `${protocol}/${hostIP ?? ""}/${hostPort}`;
		if (taken.has(key)) causes.push(duplicate(`${path}[${index}].hostPort`, key));
		taken.add(key);
	}
	return causes;
}

function mounts(container: Container | EphemeralContainer, context: PodContext, path: string): Cause[] {
	const causes: Cause[] = [];
	const paths = new Set<string>();
	const privileged = container.securityContext?.privileged === true;
	for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
		const at = `${path}.volumeMounts[${index}]`;
		if (!mount.name) causes.push(required(`${at}.name`));
		else if (!context.volumeNames.has(mount.name)) causes.push(notFoundValue(`${at}.name`, mount.name));
		if (!mount.mountPath) causes.push(required(`${at}.mountPath`));
		if (paths.has(mount.mountPath)) causes.push(invalidValue(`${at}.mountPath`, mount.mountPath, "must be unique"));
		paths.add(mount.mountPath);
		causes.push(...mountOptions(mount, privileged, at));
	}
	for (const [index, device] of (container.volumeDevices ?? []).entries()) {
		const at = `${path}.volumeDevices[${index}]`;
		if (!device.name) causes.push(required(`${at}.name`));
		else if (!context.volumeNames.has(device.name)) causes.push(notFoundValue(`${at}.name`, device.name));
		if (!device.devicePath) causes.push(required(`${at}.devicePath`));
		else if (paths.has(device.devicePath))
			causes.push(invalidValue(`${at}.devicePath`, device.devicePath, "must be unique"));
		paths.add(device.devicePath);
	}
	return causes;
}

function mountOptions(mount: VolumeMount, privileged: boolean, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const field of ["subPath", "subPathExpr"] as const) {
		const value = mount[field];
		if (!value) continue;
		if (value.startsWith("/")) causes.push(invalidValue(`${path}.${field}`, value, "must be a relative path"));
		if (value.split("/").includes("..")) causes.push(invalidValue(`${path}.${field}`, value, "must not contain '..'"));
	}
	if (mount.subPath && mount.subPathExpr)
		causes.push(
			invalidValue(`${path}.subPathExpr`, mount.subPathExpr, "subPathExpr and subPath are mutually exclusive"),
		);
	causes.push(
		...oneOf(mount.mountPropagation, ["Bidirectional", "HostToContainer", "None"], `${path}.mountPropagation`),
		...oneOf(mount.recursiveReadOnly, ["Disabled", "Enabled", "IfPossible"], `${path}.recursiveReadOnly`),
	);
	if (mount.mountPropagation === "Bidirectional" && !privileged)
		causes.push(
			forbidden(
				`${path}.mountPropagation`,
				"Bidirectional mount propagation is available only to privileged containers",
			),
		);
	return causes;
}

/** Probes and hooks make no sense for a container that terminates before the others start. */
function initOnly(container: Container, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const)
		if (container[field] !== undefined)
			causes.push(forbidden(`${path}.${field}`, "may not be set for init containers without restartPolicy=Always"));
	return causes;
}

function ephemeralOnly(container: EphemeralContainer, { containerNames }: PodContext, path: string): Cause[] {
	const causes: Cause[] = [];
	const target = container.targetContainerName;
	if (target && !containerNames.has(target)) causes.push(notFoundValue(`${path}.targetContainerName`, target));
	for (const field of ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const)
		if (container[field] !== undefined)
			causes.push(forbidden(`${path}.${field}`, "cannot be set for an Ephemeral Container"));
	if (container.resources?.limits !== undefined || container.resources?.requests !== undefined)
		causes.push(forbidden(`${path}.resources`, "cannot be set for an Ephemeral Container"));
	for (const [index, mount] of (container.volumeMounts ?? []).entries())
		for (const field of ["subPath", "subPathExpr"] as const)
			if (mount[field])
				causes.push(forbidden(`${path}.volumeMounts[${index}].${field}`, "cannot be set for an Ephemeral Container"));
	return causes;
}

/** Restart policies of single containers, and their rules for exit codes (KEP-5307). */
function restartRules(container: Container, path: string): Cause[] {
	const causes = oneOf(container.restartPolicy, ["Always", "Never", "OnFailure"], `${path}.restartPolicy`);
	const rules = container.restartPolicyRules ?? [];
	if (rules.length > 0 && !container.restartPolicy)
		causes.push(required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"));
	if (rules.length > 20)
		causes.push(invalidValue(`${path}.restartPolicyRules`, rules.length, "must have at most 20 rules"));
	for (const [index, { action, exitCodes }] of rules.entries()) {
		const at = `${path}.restartPolicyRules[${index}]`;
		causes.push(...requiredOneOf(action, ["Restart", "RestartAllContainers"], `${at}.action`));
		if (exitCodes === undefined) {
			causes.push(required(`${at}.exitCodes`, "must be specified"));
			continue;
		}
		causes.push(...requiredOneOf(exitCodes.operator, ["In", "NotIn"], `${at}.exitCodes.operator`));
		if ((exitCodes.values ?? []).length > 255)
			causes.push(invalidValue(`${at}.exitCodes.values`, exitCodes.values?.length, "must have at most 255 values"));
	}
	return causes;
}
