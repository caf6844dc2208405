/** The steps that give a process the container's limits, user and privileges, at start and for exec. */
import type { ContainerConfig } from "../../runtime.ts";
import { allCapabilities, capabilityMask, capabilityNames } from "../launcher/capabilities.ts";
import { list, type Step } from "../launcher/plan.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Environment } from "./environment.ts";
import type { Identity } from "./identity.ts";

const unlimited = 0xffff_ffff_ffff_ffffn;
const stackBytes = 8 * 1024 * 1024;

/** systemd's default limits of a service, which programs in containers of engines get (getrlimit(2)). */
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

/** Size of a terminal before the client sets it. */
const terminal = { rows: 24, columns: 80 };

/** Steps that need the machine's files. */
export function joinSteps(record: ContainerRecord): Step[] {
	const { cgroups, container, userBase } = record;
	const joins = cgroups.map((group): Step => ["cgroup", group]);
	const owners: Step[] = userBase === undefined ? [] : [["owners", userBase]];
	return [...joins, ["oom-score", container.config.oomScoreAdj ?? 0], ...limits, ["fresh"], ...owners];
}

/** A terminal that belongs to the container's user. */
export function terminalStep({ identity, userBase = 0 }: ContainerRecord): Step {
	return ["terminal", userBase + identity.user, terminal.rows, terminal.columns];
}

/**
 * The last steps before the program, inside the container. If only one user exists, another one requires a nested user
 * namespace.
 * @throws Error that names the field that is not supported
 */
export function identitySteps(options: {
	command: readonly string[];
	env: ReadonlyMap<string, string>;
	identity: Identity;
	security: ContainerConfig["security"];
	workingDir: string;
	/** The pod has a user namespace. */
	ownUsers: boolean;
	environment: Pick<Environment, "rootless" | "seccomp">;
}): Step[] {
	const { security } = options;
	const { user, group, groups } = options.identity;
	const { rootless, seccomp } = options.environment;
	refuseProfiles(security);
	const kept = security.privileged ? allCapabilities : capabilityMask(security.capabilities);
	const filter = seccompSteps(seccomp.program(security.seccompProfile, capabilityNames(kept)));
	const steps: Step[] = [["working-directory", options.workingDir]];
	// Until here, files could be created for the pod; from here on, only the permissions of the pod's root apply.
	if (options.ownUsers) steps.push(["enter-user"]);
	// Before the filter, which forbids creating namespaces; in the new one, loading the filter is allowed.
	if (rootless && (user !== 0 || group !== 0)) steps.push(["map", user, group]);
	// Without no_new_privs, loading a filter requires a privilege that is dropped below.
	if (!security.noNewPrivileges) steps.push(...filter);
	if (!rootless) steps.push(["groups", ...list(groups.map(String))]);
	// Before the privilege for this is dropped.
	if (!security.privileged) steps.push(["bounding", kept]);
	if (!rootless) steps.push(["user", user, group]);
	steps.push(["capabilities", user === 0 ? kept : 0n]);
	if (security.noNewPrivileges) steps.push(["no-new-privileges"], ...filter);
	const env = [...options.env].map(([name, value]) => `${name}=${value}`);
	steps.push(["umask", 0o22], ["run", ...list(env), ...list(options.command)]);
	return steps;
}

/** There are few filters, and each is used in many plans. */
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
