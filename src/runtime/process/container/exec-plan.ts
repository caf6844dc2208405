/** The plan of a command in a running container. Pure. */

import { namespaces, type Step } from "../launcher/plan.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Environment } from "./environment.ts";
import { identitySteps, joinSteps, terminalStep } from "./identity-steps.ts";

/**
 * The command gets exactly the environment of the container's first program: namespaces, control groups, user,
 * capabilities.
 * @throws Error if the container is not running
 */
export function execPlan(
	record: ContainerRecord,
	options: { command: readonly string[]; tty: boolean; environment: Environment },
): Step[] {
	const { init, workingDir, hostPid, container, identity } = record;
	if (init === undefined || container.state !== "running") throw new Error(`container ${container.id} is not running`);
	const { tty, command, environment } = options;
	const { security } = container.config;
	const ownUsers = record.userBase !== undefined;
	const env = new Map(record.env);
	if (tty) env.set("TERM", "xterm");
	return [
		["exec", tty ? 1 : 0, init.pid, init.startTime, hostPid === true ? 0 : namespaces.pid],
		...joinSteps(record),
		["join", namespaces.mount | namespaces.net | namespaces.uts | namespaces.ipc],
		...(tty ? [terminalStep(record), ["tied"] satisfies Step] : []),
		...identitySteps({ command, env, identity, security, workingDir, ownUsers, environment }),
	];
}
