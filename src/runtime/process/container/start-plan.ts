/** The plan of a container's start. */

import { namespaces, type Step } from "../launcher/plan.ts";
import { rootSteps } from "../launcher/root.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Environment } from "./environment.ts";
import { identitySteps, joinSteps, terminalStep } from "./identity-steps.ts";
import type { ProcessSandbox } from "./sandbox.ts";

/**
 * @param command the program with its arguments
 * @throws Error for a setting that is not possible
 */
export function startPlan(
	environment: Environment,
	sandbox: ProcessSandbox,
	record: ContainerRecord,
	command: readonly string[],
): Step[] {
	const { container, cgroups, workingDir, ownPid, target } = record;
	const { config, id } = container;
	const { images, tools } = environment;
	const { hostPid, hostIpc, hostname } = sandbox.config;
	const { security } = config;
	const env = new Map(record.env);
	const ownUsers = record.userBase !== undefined;
	const { holder, shared, sharedPid } = sandbox.namespaces;
	return [
		[
			"start",
			`${environment.directory}/containers/${id}`,
			record.endMark,
			config.tty ? 1 : 2,
			config.stdin ? 1 : 0,
			config.tty ? 1 : 0,
			holder.pid,
			holder.startTime,
			target?.pid ?? 0,
			target?.startTime ?? 0,
			sharedPid || target !== undefined ? namespaces.pid : 0,
			ownPid ? namespaces.pid : 0,
		],
		...(hostIpc ? [] : [["open-memory"] satisfies Step]),
		...joinSteps(record),
		...(shared === 0 ? [] : [["join", shared] satisfies Step]),
		["unshare", namespaces.mount],
		...rootSteps({
			...environment,
			hidden: environment.hidden(),
			hostPid,
			hostIpc,
			hostname,
			privileged: security.privileged,
			readOnly: security.readOnlyRootFilesystem,
			unmaskedProc: ownUsers && security.unmaskedProc === true,
			ownUsers,
			scratch: `${environment.scratch}/${id}`,
			groups: cgroups.length === 0 ? [] : environment.cgroups.view(record.cgroup),
			volumes: config.mounts,
			emptyDirectories: images.find(config.image)?.volumes ?? [],
			tools: [...tools, ...images.programs(config.image, env.keys())],
		}),
		...(config.tty ? [terminalStep(record)] : []),
		...identitySteps({ command, env, security, workingDir, ownUsers, environment }),
	];
}
