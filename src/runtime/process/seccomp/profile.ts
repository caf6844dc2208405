/** Seccomp profiles: what a filter is made of. Pure. */
import type { Comparison } from "./bpf.ts";

export interface SeccompRule {
	/** Calls that an architecture does not have are skipped there. */
	names: readonly string[];
	/** As a filter answers it, see `actions`. */
	action: number;
	/** All must hold; several for one argument are alternatives, as runc reads them. */
	comparisons: readonly Comparison[];
}

export interface SeccompProfile {
	/** For calls that no rule names. */
	defaultAction: number;
	/** Besides the machine's own: `SCMP_ARCH_X86`. Programs of others are killed at their first call. */
	architectures: readonly string[];
	rules: readonly SeccompRule[];
}

/** What decides which conditional rules of a profile apply. */
export interface ProfileConditions {
	/** The container's bounding set: `CAP_SYS_ADMIN`. */
	capabilities: ReadonlySet<string>;
	/** In the words of engines' profiles: `amd64`, `arm64`. */
	architecture: string;
	/** Of the running kernel, `major.minor`. */
	kernel: string;
}

const errorNumberMask = 0xffff;

/** Filter answers of seccomp(2). Those that need a tracer or a listener are none that a container can be given. */
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
