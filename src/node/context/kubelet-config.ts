/**
 * `/configz`: the effective settings of an agent as upstream's KubeletConfiguration (v1beta1). Fields that do not apply
 * are omitted. Pure.
 */
import { formatQuantity } from "../../core/quantity.ts";
import { goDuration } from "../../core/time/duration.ts";
import { renewals, usualLeaseMs, usualStatusMs } from "../machine/heartbeat.ts";
import type { KubeletConfiguration } from "./kubelet-configuration.ts";

export interface KubeletSettings {
	configuration: KubeletConfiguration;
	clusterDomain: string;
	clusterDns?: string | undefined;
	podCidr?: string | undefined;
	mostPods: number;
	/** Default 40 s. */
	leaseMs?: number | undefined;
}

export function kubeletConfig(settings: KubeletSettings): { kubeletconfig: Record<string, unknown> } {
	const { configuration, clusterDomain, clusterDns, podCidr, mostPods, leaseMs = usualLeaseMs } = settings;
	return {
		kubeletconfig: {
			enableServer: true,
			clusterDomain,
			...(clusterDns === undefined ? {} : { clusterDNS: [clusterDns] }),
			nodeStatusUpdateFrequency: goDuration(leaseMs / renewals),
			nodeStatusReportFrequency: goDuration(Math.max(usualStatusMs, leaseMs)),
			nodeLeaseDurationSeconds: leaseMs / 1000,
			maxPods: mostPods,
			...(podCidr === undefined ? {} : { podCIDR: podCidr }),
			podPidsLimit: configuration.podPidsLimit ?? -1,
			allowedUnsafeSysctls: configuration.allowedUnsafeSysctls,
			seccompDefault: configuration.seccompDefault,
			serializeImagePulls: configuration.serializeImagePulls,
			maxParallelImagePulls: configuration.maxParallelImagePulls ?? null,
			imageGCHighThresholdPercent: configuration.imageGCHighThresholdPercent,
			imageGCLowThresholdPercent: configuration.imageGCLowThresholdPercent,
			localStorageCapacityIsolation: configuration.localStorageCapacityIsolation,
			imageMinimumGCAge: goDuration(configuration.imageMinimumGCAgeMs),
			imageMaximumGCAge: goDuration(configuration.imageMaximumGCAgeMs),
			evictionHard: configuration.evictionHard,
			evictionSoft: configuration.evictionSoft,
			evictionSoftGracePeriod: durations(configuration.evictionSoftGraceMs),
			evictionMinimumReclaim: configuration.evictionMinimumReclaim,
			evictionMaxPodGracePeriod: configuration.evictionMaxPodGraceSeconds,
			evictionPressureTransitionPeriod: goDuration(configuration.evictionPressureTransitionMs),
			resolvConf: "/etc/resolv.conf",
			cpuManagerPolicy: "none",
			memoryManagerPolicy: "None",
			topologyManagerPolicy: "none",
			enableDebuggingHandlers: true,
			failSwapOn: false,
			containerLogMaxSize: formatQuantity(BigInt(configuration.containerLogMaxBytes) * 1_000_000_000n, "binary"),
			containerLogMaxFiles: configuration.containerLogMaxFiles,
			containerLogMonitorInterval: goDuration(configuration.containerLogMonitorMs),
			shutdownGracePeriod: goDuration(configuration.shutdownGraceMs),
			shutdownGracePeriodCriticalPods: goDuration(configuration.shutdownGraceCriticalMs),
			enableSystemLogHandler: true,
		},
	};
}

function durations(byName: Readonly<Record<string, number>>): Record<string, string> {
	return Object.fromEntries(Object.entries(byName).map(([name, ms]) => [name, goDuration(ms)]));
}
