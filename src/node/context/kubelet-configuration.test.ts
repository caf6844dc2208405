import { expect, test } from "vitest";
import { readKubeletConfiguration, usualKubeletConfiguration } from "./kubelet-configuration.ts";

test("what a configuration does not say stays as usual", () => {
	expect(readKubeletConfiguration(undefined)).toEqual(usualKubeletConfiguration);
	const header = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
	expect(readKubeletConfiguration(header)).toEqual(usualKubeletConfiguration);
});

test("supported fields are read with upstream's units", () => {
	const document = {
		allowedUnsafeSysctls: ["net.core.somaxconn", "kernel.msg*"],
		containerLogMaxFiles: 3,
		containerLogMaxSize: "1Mi",
		containerLogMonitorInterval: "1m30s",
		imageGCHighThresholdPercent: 70,
		imageGCLowThresholdPercent: 60,
		maxParallelImagePulls: 3,
		serializeImagePulls: false,
		localStorageCapacityIsolation: false,
		maxPods: 20,
		podPidsLimit: 100,
		seccompDefault: false,
		evictionHard: { "nodefs.available": "1Gi" },
		evictionPressureTransitionPeriod: "30s",
		evictionMaxPodGracePeriod: 20,
		imageMaximumGCAge: "24h",
		imageMinimumGCAge: "0s",
		shutdownGracePeriod: "30s",
		shutdownGracePeriodCriticalPods: "10s",
		staticPodPath: "/etc/pods",
	};
	expect(readKubeletConfiguration(document)).toEqual({
		allowedUnsafeSysctls: ["net.core.somaxconn", "kernel.msg*"],
		evictionHard: { "nodefs.available": "1Gi" },
		evictionSoft: {},
		evictionSoftGraceMs: {},
		evictionMinimumReclaim: {},
		evictionPressureTransitionMs: 30_000,
		evictionMaxPodGraceSeconds: 20,
		imageMaximumGCAgeMs: 86_400_000,
		imageMinimumGCAgeMs: 0,
		shutdownGraceMs: 30_000,
		shutdownGraceCriticalMs: 10_000,
		staticPodPath: "/etc/pods",
		containerLogMaxBytes: 1024 ** 2,
		containerLogMaxFiles: 3,
		containerLogMonitorMs: 90_000,
		imageGCHighThresholdPercent: 70,
		imageGCLowThresholdPercent: 60,
		maxParallelImagePulls: 3,
		serializeImagePulls: false,
		localStorageCapacityIsolation: false,
		maxPods: 20,
		podPidsLimit: 100,
		seccompDefault: false,
	});
	expect(readKubeletConfiguration({ podPidsLimit: -1 }).podPidsLimit).toBeUndefined();
});

test("what is not supported is refused with its field", () => {
	const refusals: [document: unknown, message: string][] = [
		[{ cgroupDriver: "systemd" }, "cgroupDriver: is not supported; these are: allowedUnsafeSysctls"],
		[{ constructor: 1 }, "constructor: is not supported"],
		[{ kind: "Deployment" }, 'kind: Unsupported value: "Deployment"'],
		[{ apiVersion: "kubelet.config.k8s.io/v1" }, 'apiVersion: Unsupported value: "kubelet.config.k8s.io/v1"'],
		[{ podPidsLimit: 0 }, "podPidsLimit: Invalid value: 0: must be a whole number of 1 or more"],
		[{ podPidsLimit: "many" }, 'podPidsLimit: Invalid value: "many"'],
		[{ seccompDefault: "yes" }, "seccompDefault: must be true or false"],
		[{ containerLogMaxSize: "big" }, 'containerLogMaxSize: Invalid value: "big": must be a quantity'],
		[{ containerLogMaxFiles: 1 }, "containerLogMaxFiles: Invalid value: 1: must be a whole number of 2 or more"],
		[
			{ containerLogMonitorInterval: "1s" },
			'containerLogMonitorInterval: Invalid value: "1s": must be a duration of 3s or more',
		],
		[{ allowedUnsafeSysctls: "net.*" }, "allowedUnsafeSysctls: must be a list"],
		[
			{ allowedUnsafeSysctls: ["vm.*"] },
			'allowedUnsafeSysctls[0]: Invalid value: "vm.*": the sysctl "vm.*" are not known to be namespaced',
		],
		[[], "must be a mapping"],
	];
	for (const [document, message] of refusals) expect(() => readKubeletConfiguration(document)).toThrow(message);
});
