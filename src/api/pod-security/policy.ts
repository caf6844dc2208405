/** The Pod Security policy of a namespace (Kubernetes documentation, "Pod Security Admission"). */
import type { Cause } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { isStricter, type LevelVersion, levels, parseLevel, parseVersion } from "./level.ts";

/** A mode says what happens to a violation: refused, recorded in the audit log, or sent to the client as a warning. */
export type Mode = "enforce" | "audit" | "warn";
export type Policy = Readonly<Record<Mode, LevelVersion>>;

export interface ParsedPolicy {
	readonly policy: Policy;
	/** What is wrong with the labels. The policy is one that holds nevertheless. */
	readonly causes: readonly Cause[];
}

export const labelPrefix = "pod-security.kubernetes.io/";

const privileged: LevelVersion = { level: "privileged", version: "latest" };
/** The default. */
export const privilegedPolicy: Policy = { enforce: privileged, audit: privileged, warn: privileged };

/** Nothing is checked under this policy. */
export function isPrivileged({ enforce, audit, warn }: Policy): boolean {
	return enforce.level === "privileged" && audit.level === "privileged" && warn.level === "privileged";
}

/**
 * The policy of a namespace with these labels. A label that cannot be read stands for `restricted` when it enforces,
 * for `privileged` when it only audits or warns, and for the latest version. Clients are warned of what a stricter
 * `enforce` refuses, unless `warn` says otherwise: workloads get no pods, and this is how their authors learn it.
 */
export function parsePolicy(labels: Readonly<Record<string, string>>, defaults: Policy): ParsedPolicy {
	const causes: Cause[] = [];
	const enforce = parseMode("enforce", labels, defaults, causes);
	const audit = parseMode("audit", labels, defaults, causes);
	let warn = parseMode("warn", labels, defaults, causes);
	const enforced = labels[`${labelPrefix}enforce`];
	const isEnforced = enforced !== undefined && parseLevel(enforced) !== undefined;
	if (isEnforced && labels[`${labelPrefix}warn`] === undefined && isStricter(enforce.level, warn.level)) {
		const hasVersion = labels[`${labelPrefix}warn-version`] !== undefined;
		warn = { level: enforce.level, version: hasVersion ? warn.version : enforce.version };
	}
	return { policy: { enforce, audit, warn }, causes };
}

function parseMode(
	mode: Mode,
	labels: Readonly<Record<string, string>>,
	defaults: Policy,
	causes: Cause[],
): LevelVersion {
	let { level, version } = defaults[mode];
	const levelLabel = `${labelPrefix}${mode}`;
	const levelValue = labels[levelLabel];
	if (levelValue !== undefined) {
		const parsed = parseLevel(levelValue);
		level = parsed ?? (mode === "enforce" ? "restricted" : "privileged");
		if (parsed === undefined)
			causes.push(invalidValue(`metadata.labels[${levelLabel}]`, levelValue, `must be one of ${levels.join(", ")}`));
	}
	const versionLabel = `${levelLabel}-version`;
	const versionValue = labels[versionLabel];
	if (versionValue !== undefined) {
		const parsed = parseVersion(versionValue);
		version = parsed ?? "latest";
		if (parsed === undefined)
			causes.push(invalidValue(`metadata.labels[${versionLabel}]`, versionValue, 'must be "latest" or "v1.x"'));
	}
	return { level, version };
}

const parsedPolicies = new WeakMap<KubeObject, ParsedPolicy>();

/**
 * The policy of a namespace, read once for each state of it.
 * @param namespace an object that never changes
 * @param defaults the same for all namespaces of a server
 */
export function policyOf(namespace: KubeObject, defaults: Policy): ParsedPolicy {
	let parsed = parsedPolicies.get(namespace);
	if (parsed === undefined) {
		parsed = parsePolicy(namespace.metadata.labels ?? {}, defaults);
		parsedPolicies.set(namespace, parsed);
	}
	return parsed;
}
