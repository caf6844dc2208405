/**
 * The fields of upstream's KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that agents support; `cox up
 * --kubelet-config` reads it from a file. Pure.
 */

import type { Cause } from "../../core/errors.ts";
import { ConfigField, causesText } from "../../core/validation/config-field.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import type { EvictionRules } from "../machine/pressure.ts";
import { patternProblem } from "../pod/sysctls.ts";
import { checkEviction, evictionReaders, usualEvictionRules } from "./eviction-fields.ts";

export interface KubeletConfiguration extends EvictionRules {
	/** Patterns of kernel parameters that pods may set in addition to the safe ones. */
	allowedUnsafeSysctls: readonly string[];
	containerLogMaxBytes: number;
	/** Including the file that is currently written. */
	containerLogMaxFiles: number;
	containerLogMonitorMs: number;
	/** Whether one image is pulled at a time; otherwise up to `maxParallelImagePulls`, undefined: any number. */
	serializeImagePulls: boolean;
	maxParallelImagePulls: number | undefined;
	/**
	 * Share of the disk in percent above which images that no container uses are deleted, and the share that is enough.
	 */
	imageGCHighThresholdPercent: number;
	imageGCLowThresholdPercent: number;
	/** Images that are younger are not deleted. */
	imageMinimumGCAgeMs: number;
	/** Images that were not used for longer are deleted, however full the disk is; 0: never. */
	imageMaximumGCAgeMs: number;
	/** Whether limits of local storage are enforced. */
	localStorageCapacityIsolation: boolean;
	maxPods: number;
	/** Processes and threads of one pod; undefined: only the machine's limit applies. */
	podPidsLimit: number | undefined;
	/** How long a node may take to end its pods when it is stopped; 0: it stops at once. */
	shutdownGraceMs: number;
	/** The part of it that is for critical pods, which end last. */
	shutdownGraceCriticalMs: number;
	/** Directory of files with static pods; undefined: the cluster's own. */
	staticPodPath: string | undefined;
	/** Whether pods that do not specify a seccomp profile run with the default profile. */
	seccompDefault: boolean;
}

/**
 * Upstream's defaults with two exceptions: the number of processes per pod is limited, because a fork bomb in one pod
 * must not bring down the machine, and seccompDefault is on (docs/decisions/0014-seccomp-profile.md).
 */
export const usualKubeletConfiguration: KubeletConfiguration = {
	...usualEvictionRules,
	allowedUnsafeSysctls: [],
	containerLogMaxBytes: 10 * 1024 ** 2,
	containerLogMaxFiles: 5,
	containerLogMonitorMs: 10_000,
	imageGCHighThresholdPercent: 85,
	imageGCLowThresholdPercent: 80,
	imageMinimumGCAgeMs: 120_000,
	imageMaximumGCAgeMs: 0,
	serializeImagePulls: true,
	maxParallelImagePulls: undefined,
	localStorageCapacityIsolation: true,
	maxPods: 110,
	podPidsLimit: 4096,
	seccompDefault: true,
	shutdownGraceMs: 0,
	shutdownGraceCriticalMs: 0,
	staticPodPath: undefined,
};

/** A document parsed from YAML or JSON. It is valid if `readKubeletConfiguration` has accepted it. */
export type KubeletDocument = Readonly<Record<string, unknown>>;

const leastLogBytes = 1024;
const leastPeriodMs = 3000;

/** The value of each field; undefined if the field is absent or invalid. */
const readers: Readonly<Record<string, (field: ConfigField) => Partial<KubeletConfiguration>>> = {
	...evictionReaders,
	allowedUnsafeSysctls: (field) => ({ allowedUnsafeSysctls: field.list().map(sysctlPattern) }),
	containerLogMaxFiles: (field) => present("containerLogMaxFiles", field.whole(2)),
	containerLogMaxSize: (field) => present("containerLogMaxBytes", field.bytes(leastLogBytes)),
	containerLogMonitorInterval: (field) => present("containerLogMonitorMs", field.milliseconds(leastPeriodMs)),
	imageGCHighThresholdPercent: (field) => present("imageGCHighThresholdPercent", field.whole(0)),
	imageGCLowThresholdPercent: (field) => present("imageGCLowThresholdPercent", field.whole(0)),
	imageMaximumGCAge: (field) => present("imageMaximumGCAgeMs", field.milliseconds(0)),
	imageMinimumGCAge: (field) => present("imageMinimumGCAgeMs", field.milliseconds(0)),
	localStorageCapacityIsolation: (field) => present("localStorageCapacityIsolation", field.truth()),
	maxParallelImagePulls: (field) => present("maxParallelImagePulls", field.whole(1)),
	maxPods: (field) => present("maxPods", field.whole(0)),
	podPidsLimit: (field) => (field.value === -1 ? { podPidsLimit: undefined } : present("podPidsLimit", field.whole(1))),
	serializeImagePulls: (field) => present("serializeImagePulls", field.truth()),
	seccompDefault: (field) => present("seccompDefault", field.truth()),
	shutdownGracePeriod: (field) => present("shutdownGraceMs", field.milliseconds(0)),
	shutdownGracePeriodCriticalPods: (field) => present("shutdownGraceCriticalMs", field.milliseconds(0)),
	staticPodPath: (field) => ({ staticPodPath: field.text() }),
};

function present<Name extends keyof KubeletConfiguration>(
	name: Name,
	value: KubeletConfiguration[Name] | undefined,
): Partial<KubeletConfiguration> {
	return value === undefined ? {} : { [name]: value };
}

function sysctlPattern(field: ConfigField): string {
	const pattern = field.text();
	const problem = patternProblem(pattern);
	if (problem !== undefined) field.wrong(invalidValue(field.path, field.value, problem));
	return pattern;
}

/**
 * The configuration, with defaults for absent fields; `kind` and `apiVersion` are optional.
 * @throws Error that names every field that is not supported or has an invalid value
 */
export function readKubeletConfiguration(document: unknown): KubeletConfiguration {
	const causes: Cause[] = [];
	const root = new ConfigField(document, causes);
	const names = Object.keys(readers).sort();
	root.knows(["apiVersion", "kind", ...names], `is not supported; these are: ${names.join(", ")}`);
	root.expectType(["kubelet.config.k8s.io/v1beta1"], "KubeletConfiguration", { isOptional: true });
	let configuration = usualKubeletConfiguration;
	for (const [name, read] of Object.entries(readers)) {
		const field = root.field(name);
		if (!field.isAbsent) configuration = { ...configuration, ...read(field) };
	}
	checkEviction(configuration, root);
	const { shutdownGraceMs, shutdownGraceCriticalMs } = configuration;
	if (shutdownGraceCriticalMs > shutdownGraceMs)
		root.wrong(
			invalidValue(
				"shutdownGracePeriodCriticalPods",
				`${shutdownGraceCriticalMs / 1000}s`,
				"must not be more than shutdownGracePeriod",
			),
		);
	if (causes.length > 0) throw new Error(causesText(causes));
	return configuration;
}
