/** The steps that make a process one of the container's: its limits, its user, what it may do. The same at start and in exec. */
import type { ContainerConfig } from "../../runtime.ts";
import { accountOf, groupsOf } from "./accounts.ts";
import { allCapabilities, capabilityMask } from "./capabilities.ts";
import { list, type Step } from "./plan.ts";

const unlimited = 0xffff_ffff_ffff_ffffn;
const stackBytes = 8 * 1024 * 1024;

/** Limits of a service by systemd's defaults, which is what programs in containers of engines get (getrlimit(2)). */
const limits: readonly Step[] = [
	["limit", 0, unlimited, unlimited],
	["limit", 1, unlimited, unlimited],
	["limit", 2, unlimited, unlimited],
	["limit", 3, stackBytes, unlimited],
	// No core dumps by default: they would fill the node's disk.
	["limit", 4, 0, unlimited],
	["limit", 5, unlimited, unlimited],
	["limit", 6, unlimited, unlimited],
	["limit", 7, 1024, 524_288],
	["limit", 8, stackBytes, stackBytes],
	["limit", 9, unlimited, unlimited],
];

/** What must be done while the machine's files are there. */
export function joinSteps(options: { cgroups: readonly string[]; oomScoreAdj: number | undefined }): Step[] {
	const joins = options.cgroups.map((group): Step => ["cgroup", group]);
	return [...joins, ["oom-score", options.oomScoreAdj ?? 0], ...limits, ["fresh"]];
}

/**
 * The last steps before the program, inside the container.
 * @param rootless whether only one user exists, so that any other must be a user namespace of its own
 * @throws Error naming the field that cannot be honoured
 */
export function identitySteps(options: {
	command: readonly string[];
	env: ReadonlyMap<string, string>;
	security: ContainerConfig["security"];
	workingDir: string;
	rootless: boolean;
}): Step[] {
	const { security, rootless } = options;
	refuseProfiles(security);
	const user = security.runAsUser ?? 0;
	const group = security.runAsGroup ?? accountOf(user)?.group ?? 0;
	const kept = security.privileged ? allCapabilities : capabilityMask(security.capabilities);
	const steps: Step[] = [["working-directory", options.workingDir]];
	if (rootless) {
		if (user !== 0 || (security.runAsGroup ?? 0) !== 0) steps.push(["map", user, security.runAsGroup ?? 0]);
	} else steps.push(["groups", ...list(supplementalGroups(security, user, group))]);
	// While it is still allowed to.
	if (!security.privileged) steps.push(["bounding", kept]);
	if (!rootless) steps.push(["user", user, group]);
	steps.push(["capabilities", user === 0 ? kept : 0n]);
	if (security.noNewPrivileges) steps.push(["no-new-privileges"]);
	const env = [...options.env].map(([name, value]) => `${name}=${value}`);
	steps.push(["umask", 0o22], ["run", ...list(env), ...list(options.command)]);
	return steps;
}

function supplementalGroups(security: ContainerConfig["security"], user: number, group: number): string[] {
	const own = security.supplementalGroupsPolicy === "Strict" ? [] : groupsOf(user);
	return [...new Set([group, ...own, ...security.supplementalGroups])].map(String);
}

function refuseProfiles({ seccompProfile, appArmorProfile }: ContainerConfig["security"]): void {
	for (const [field, profile] of Object.entries({ seccompProfile, appArmorProfile })) {
		if (profile === undefined || profile === "RuntimeDefault" || profile === "Unconfined") continue;
		throw new Error(`securityContext.${field} ${profile} is not supported by the process runtime`);
	}
}
