/** Defaults of pods and pod templates (API reference, "PodSpec"). All work in place. */
import type {
	Container,
	EphemeralContainer,
	HTTPGetAction,
	LifecycleHandler,
	PodSpec,
	PodTemplateSpec,
	Probe,
} from "../../generated/types.ts";
import { podAmounts, sharedOf } from "./pod-amounts.ts";
import { defaultPullPolicy } from "./pull-policy.ts";
import { setVolumeDefaults } from "./volume-defaults.ts";

type AnyContainer = Container | EphemeralContainer;

/** @param owner anything with a template; an absent template becomes an empty one, which validation rejects */
export function setPodTemplateDefaults(owner: { template?: PodTemplateSpec }): void {
	owner.template ??= { spec: { containers: [] } };
	owner.template.spec ??= { containers: [] };
	setPodSpecDefaults(owner.template.spec);
}

/** Defaults of pods and templates; `setPodDefaults` has those of pods only. */
function setPodSpecDefaults(spec: PodSpec): void {
	spec.dnsPolicy ||= "ClusterFirst";
	spec.restartPolicy ||= "Always";
	spec.schedulerName ||= "default-scheduler";
	spec.terminationGracePeriodSeconds ??= 30;
	spec.securityContext ??= {};
	const account = spec.serviceAccountName || spec.serviceAccount;
	if (account) {
		spec.serviceAccountName = account;
		spec.serviceAccount = account;
	}
	for (const container of spec.initContainers ?? []) setContainerDefaults(container, spec);
	for (const container of spec.containers ?? []) setContainerDefaults(container, spec);
	for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container, spec);
	for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
}

/** Requests default to limits, and service links are enabled: for pods, not for templates. */
export function setPodDefaults(spec: PodSpec): void {
	setPodSpecDefaults(spec);
	spec.enableServiceLinks ??= true;
	for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
		const { limits } = container.resources ?? {};
		if (limits === undefined || container.resources === undefined) continue;
		container.resources.requests = { ...limits, ...container.resources.requests };
	}
	setPodRequests(spec);
}

/** A pod with pod-level limits requests what its containers do, and its limits for other resources (KEP-2837). */
function setPodRequests(spec: PodSpec): void {
	const { limits = {}, requests } = spec.resources ?? {};
	if (spec.resources === undefined || Object.keys(limits).length === 0) return;
	const { resources: _, overhead: __, ...alone } = spec;
	const wanted = { ...limits, ...podAmounts(alone, "requests"), ...requests };
	spec.resources.requests = { ...sharedOf(wanted), ...requests };
}

function setContainerDefaults(container: AnyContainer, spec: PodSpec): void {
	container.imagePullPolicy ||= defaultPullPolicy(container.image ?? "");
	container.terminationMessagePath ||= "/dev/termination-log";
	container.terminationMessagePolicy ||= "File";
	container.resources ??= {};
	for (const port of container.ports ?? []) {
		port.protocol ||= "TCP";
		if (spec.hostNetwork && port.hostPort === undefined) port.hostPort = port.containerPort;
	}
	for (const { valueFrom } of container.env ?? []) {
		if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= "v1";
		if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= "0";
		if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
	}
	for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
		if (probe !== undefined) setProbeDefaults(probe);
	setHandlerDefaults(container.lifecycle?.postStart);
	setHandlerDefaults(container.lifecycle?.preStop);
	if (container.securityContext !== undefined && container.securityContext.procMount === "")
		container.securityContext.procMount = "Default";
}

function setProbeDefaults(probe: Probe): void {
	probe.timeoutSeconds ||= 1;
	probe.periodSeconds ||= 10;
	probe.successThreshold ||= 1;
	probe.failureThreshold ||= 3;
	if (probe.grpc !== undefined) probe.grpc.service ??= "";
	if (probe.httpGet !== undefined) setHttpDefaults(probe.httpGet);
}

function setHandlerDefaults(handler: LifecycleHandler | undefined): void {
	if (handler?.httpGet !== undefined) setHttpDefaults(handler.httpGet);
}

function setHttpDefaults(action: HTTPGetAction): void {
	action.path ||= "/";
	action.scheme ||= "HTTP";
}
