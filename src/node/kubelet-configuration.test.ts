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
		localStorageCapacityIsolation: false,
		maxPods: 20,
		podPidsLimit: 100,
		seccompDefault: false,
	};
	expect(readKubeletConfiguration(document)).toEqual({
		allowedUnsafeSysctls: ["net.core.somaxconn", "kernel.msg*"],
		containerLogMaxBytes: 1024 ** 2,
		containerLogMaxFiles: 3,
		containerLogMonitorMs: 90_000,
		localStorageCapacityIsolation: false,
		maxPods: 20,
		podPidsLimit: 100,
		seccompDefault: false,
	});
	expect(readKubeletConfiguration({ podPidsLimit: -1 }).podPidsLimit).toBeUndefined();
});

test("what is not supported is refused with its field", () => {
	const refusals: [document: unknown, message: string][] = [
		[{ cgroupDriver: "systemd" }, 'field "cgroupDriver" is not supported; these are: allowedUnsafeSysctls'],
		[{ constructor: 1 }, 'field "constructor" is not supported'],
		[{ kind: "Deployment" }, 'kind is "Deployment", wanted KubeletConfiguration'],
		[{ apiVersion: "kubelet.config.k8s.io/v1" }, 'apiVersion is "kubelet.config.k8s.io/v1"'],
		[{ podPidsLimit: 0 }, "podPidsLimit is 0, wanted a whole number of 1 or more"],
		[{ podPidsLimit: "many" }, 'podPidsLimit is "many"'],
		[{ seccompDefault: "yes" }, 'seccompDefault is "yes", wanted true or false'],
		[{ containerLogMaxSize: "big" }, 'containerLogMaxSize is "big", wanted a quantity'],
		[{ containerLogMaxFiles: 1 }, "containerLogMaxFiles is 1, wanted a whole number of 2 or more"],
		[{ containerLogMonitorInterval: "1s" }, 'containerLogMonitorInterval is "1s", wanted a duration of 3s or more'],
		[{ allowedUnsafeSysctls: "net.*" }, 'allowedUnsafeSysctls is "net.*", wanted a list of names'],
		[{ allowedUnsafeSysctls: ["vm.*"] }, 'allowedUnsafeSysctls: the sysctl "vm.*" are not known to be namespaced'],
		[[], "a KubeletConfiguration is a map of fields"],
	];
	for (const [document, message] of refusals) expect(() => readKubeletConfiguration(document)).toThrow(message);
});
