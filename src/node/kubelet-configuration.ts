/**
 * The part of upstream's KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that agents heed; `cox up --kubelet-config` reads it
 * from a file. Pure.
 */
import { parseDuration } from "../core/cron-duration.ts";
import { parseQuantity } from "../core/quantity.ts";
import { patternProblem } from "./sysctls.ts";

export interface KubeletConfiguration {
	/** Patterns of kernel parameters that pods may set besides the safe ones. */
	allowedUnsafeSysctls: readonly string[];
	containerLogMaxBytes: number;
	/** With the one that is written to. */
	containerLogMaxFiles: number;
	containerLogMonitorMs: number;
	/** Whether limits of local storage are enforced. */
	localStorageCapacityIsolation: boolean;
	maxPods: number;
	/** Processes and threads of one pod; undefined: no bound but the machine's. */
	podPidsLimit: number | undefined;
	/** Whether pods that say nothing of seccomp run below the default profile. */
	seccompDefault: boolean;
}

/**
 * Upstream's defaults but for two: a pod has a bound of processes, because a fork bomb in one should not take the machine along;
 * and seccompDefault is on (docs/decisions/0014-seccomp-profile.md).
 */
export const usualKubeletConfiguration: KubeletConfiguration = {
	allowedUnsafeSysctls: [],
	containerLogMaxBytes: 10 * 1024 ** 2,
	containerLogMaxFiles: 5,
	containerLogMonitorMs: 10_000,
	localStorageCapacityIsolation: true,
	maxPods: 110,
	podPidsLimit: 4096,
	seccompDefault: true,
};

/** A document as it was parsed from YAML or JSON; valid where `readKubeletConfiguration` has read it. */
export type KubeletDocument = Readonly<Record<string, unknown>>;

type Reader = (value: unknown, field: string) => Partial<KubeletConfiguration>;

const leastLogBytes = 1024;
const leastPeriodMs = 3000;

const readers: Readonly<Record<string, Reader>> = {
	allowedUnsafeSysctls(value, field) {
		const allowedUnsafeSysctls = strings(value, field);
		for (const pattern of allowedUnsafeSysctls) {
			const problem = patternProblem(pattern);
			if (problem !== undefined) throw new Error(`${field}: ${problem}`);
		}
		return { allowedUnsafeSysctls };
	},
	containerLogMaxFiles: (value, field) => ({ containerLogMaxFiles: whole(value, field, 2) }),
	containerLogMaxSize: (value, field) => ({ containerLogMaxBytes: bytes(value, field, leastLogBytes) }),
	containerLogMonitorInterval: (value, field) => ({ containerLogMonitorMs: milliseconds(value, field, leastPeriodMs) }),
	localStorageCapacityIsolation: (value, field) => ({ localStorageCapacityIsolation: truth(value, field) }),
	maxPods: (value, field) => ({ maxPods: whole(value, field, 0) }),
	podPidsLimit(value, field) {
		if (value === -1) return { podPidsLimit: undefined };
		return { podPidsLimit: whole(value, field, 1) };
	},
	seccompDefault: (value, field) => ({ seccompDefault: truth(value, field) }),
};

const headers = new Map([
	["apiVersion", "kubelet.config.k8s.io/v1beta1"],
	["kind", "KubeletConfiguration"],
]);

/**
 * The configuration with defaults for what the document does not say.
 * @throws Error naming a field that is not supported, or whose value cannot be used
 */
export function readKubeletConfiguration(document: unknown): KubeletConfiguration {
	if (document === undefined || document === null) return usualKubeletConfiguration;
	if (typeof document !== "object" || Array.isArray(document))
		throw new Error("a KubeletConfiguration is a map of fields");
	let configuration = usualKubeletConfiguration;
	for (const [field, value] of Object.entries(document)) {
		const header = headers.get(field);
		if (header !== undefined) {
			if (value !== header) throw new Error(`${field} is ${JSON.stringify(value)}, wanted ${header}`);
			continue;
		}
		const reader = Object.hasOwn(readers, field) ? readers[field] : undefined;
		if (reader === undefined)
			throw new Error(`field ${JSON.stringify(field)} is not supported; these are: ${Object.keys(readers).join(", ")}`);
		configuration = { ...configuration, ...reader(value, field) };
	}
	return configuration;
}

function problem(field: string, value: unknown, wanted: string): Error {
	return new Error(`${field} is ${JSON.stringify(value)}, wanted ${wanted}`);
}

function whole(value: unknown, field: string, least: number): number {
	if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least)
		throw problem(field, value, `a whole number of ${least} or more`);
	return value;
}

function truth(value: unknown, field: string): boolean {
	if (typeof value !== "boolean") throw problem(field, value, "true or false");
	return value;
}

function strings(value: unknown, field: string): string[] {
	const isList = Array.isArray(value) && value.every((entry) => typeof entry === "string");
	if (!isList) throw problem(field, value, "a list of names");
	return [...value];
}

function bytes(value: unknown, field: string, least: number): number {
	const quantity =
		typeof value === "string" || typeof value === "number" ? tried(() => parseQuantity(value)) : undefined;
	if (quantity === undefined || !(quantity >= least))
		throw problem(field, value, `a quantity of ${least} bytes or more`);
	return Math.floor(quantity);
}

function milliseconds(value: unknown, field: string, least: number): number {
	const period = typeof value === "string" ? tried(() => parseDuration(value)) : undefined;
	if (period === undefined || period < least) throw problem(field, value, `a duration of ${least / 1000}s or more`);
	return period;
}

function tried<T>(parse: () => T): T | undefined {
	try {
		return parse();
	} catch {
		return undefined;
	}
}
