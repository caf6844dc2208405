/** Seccomp profiles: the input of filters. Pure. */
import type { Comparison } from "./bpf.ts";

export interface SeccompRule {
	/** Calls that do not exist on an architecture are ignored there. */
	names: readonly string[];
	/** The filter's return value, see `actions`. */
	action: number;
	/** All must hold; several for the same argument are alternatives, as in runc. */
	comparisons: readonly Comparison[];
}

export interface SeccompProfile {
	/** For calls without a rule. */
	defaultAction: number;
	/** In addition to the machine's own: `SCMP_ARCH_X86`. Programs of others are killed at their first call. */
	architectures: readonly string[];
	rules: readonly SeccompRule[];
}

/** Determines which conditional rules of a profile apply. */
export interface ProfileConditions {
	/** The container's bounding set: `CAP_SYS_ADMIN`. */
	capabilities: ReadonlySet<string>;
	/** Name of the architecture in engines' profiles: `amd64`, `arm64`. */
	architecture: string;
	/** Of the running kernel, `major.minor`. */
	kernel: string;
}

const errorNumberMask = 0xffff;

/** Filter return values of seccomp(2). Those that require a tracer or a listener are not available for containers. */
export const actions = {
	killProcess: 0x80000000,
	killThread: 0x00000000,
	trap: 0x00030000,
	log: 0x7ffc0000,
	allow: 0x7fff0000,
	error: (number: number): number => 0x00050000 | (number & errorNumberMask),
} as const;

export const notPermitted = 1;
export const notImplemented = 38;
