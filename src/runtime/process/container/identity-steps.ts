/**
 * The steps that make a process one of the container's: its limits, its user, what it may do. The same at start and in
 * exec.
 */
import type { ContainerConfig } from "../../runtime.ts";
import { accountOf, groupsOf } from "../launcher/accounts.ts";
import { allCapabilities, capabilityMask, capabilityNames } from "../launcher/capabilities.ts";
import { list, type Step } from "../launcher/plan.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Environment } from "./environment.ts";

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

/** Size of a terminal before the client says its own. */
const terminal = { rows: 24, columns: 80 };

/** What must be done while the machine's files are there. */
export function joinSteps(record: ContainerRecord): Step[] {
	const { cgroups, container, userBase } = record;
	const joins = cgroups.map((group): Step => ["cgroup", group]);
	const owners: Step[] = userBase === undefined ? [] : [["owners", userBase]];
	return [...joins, ["oom-score", container.config.oomScoreAdj ?? 0], ...limits, ["fresh"], ...owners];
}

/** A terminal that belongs to the container's user. */
export function terminalStep({ container, userBase = 0 }: ContainerRecord): Step {
	return ["terminal", userBase + (container.config.security.runAsUser ?? 0), terminal.rows, terminal.columns];
}

/**
 * The last steps before the program, inside the container.
 * Where only one user exists, any other is a user namespace of its own.
 * @throws Error naming the field that cannot be honoured
 */
export function identitySteps(options: {
	command: readonly string[];
	env: ReadonlyMap<string, string>;
	security: ContainerConfig["security"];
	workingDir: string;
	/** The pod has users of its own. */
	ownUsers: boolean;
	environment: Pick<Environment, "rootless" | "seccomp">;
}): Step[] {
	const { security } = options;
	const { rootless, seccomp } = options.environment;
	refuseProfiles(security);
	const user = security.runAsUser ?? 0;
	const group = security.runAsGroup ?? accountOf(user)?.group ?? 0;
	const kept = security.privileged ? allCapabilities : capabilityMask(security.capabilities);
	const filter = seccompSteps(seccomp.program(security.seccompProfile, capabilityNames(kept)));
	const steps: Step[] = [["working-directory", options.workingDir]];
	// Until here, files could be made in the pod's name; from here on, nothing is allowed that the pod's root is not.
	if (options.ownUsers) steps.push(["enter-user"]);
	// Before the filter, which forbids to make namespaces; in the new one the right to load it is there.
	if (rootless && (user !== 0 || (security.runAsGroup ?? 0) !== 0)) steps.push(["map", user, security.runAsGroup ?? 0]);
	// Without no_new_privs, to load a filter takes a right that is given up below.
	if (!security.noNewPrivileges) steps.push(...filter);
	if (!rootless) steps.push(["groups", ...list(supplementalGroups(security, user, group))]);
	// While it is still allowed to.
	if (!security.privileged) steps.push(["bounding", kept]);
	if (!rootless) steps.push(["user", user, group]);
	steps.push(["capabilities", user === 0 ? kept : 0n]);
	if (security.noNewPrivileges) steps.push(["no-new-privileges"], ...filter);
	const env = [...options.env].map(([name, value]) => `${name}=${value}`);
	steps.push(["umask", 0o22], ["run", ...list(env), ...list(options.command)]);
	return steps;
}

function supplementalGroups(security: ContainerConfig["security"], user: number, group: number): string[] {
	const own = security.supplementalGroupsPolicy === "Strict" ? [] : groupsOf(user);
	return [...new Set([group, ...own, ...security.supplementalGroups])].map(String);
}

/** Filters are few, and each is used for many plans. */
const written = new WeakMap<Buffer, string>();

function seccompSteps(program: Buffer | undefined): Step[] {
	if (program === undefined) return [];
	let text = written.get(program);
	if (text === undefined) {
		text = program.toString("hex");
		written.set(program, text);
	}
	return [["seccomp", text]];
}

function refuseProfiles({ appArmorProfile: profile }: ContainerConfig["security"]): void {
	if (profile === undefined || profile === "RuntimeDefault" || profile === "Unconfined") return;
	throw new Error(`securityContext.appArmorProfile ${profile} is not supported by the process runtime`);
}
