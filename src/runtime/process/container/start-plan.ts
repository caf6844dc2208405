/** The plan of a container's start. */

import { imageRootSteps } from "../launcher/image-root.ts";
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
	const { container, cgroups, workingDir, ownPid, target, identity, files } = record;
	const { config, id } = container;
	const { images, tools } = environment;
	const { hostPid, hostIpc, hostname } = sandbox.config;
	const { security } = config;
	const env = new Map(record.env);
	const ownUsers = record.userBase !== undefined;
	const { holder, shared, sharedPid } = sandbox.namespaces;
	const common = {
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
		volumeFiles: record.volumeFiles ?? [],
	};
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
		...(files === undefined
			? rootSteps({
					...environment,
					...common,
					hidden: environment.hidden(),
					emptyDirectories: images.table.find(config.image)?.volumes ?? [],
					tools: [...tools, ...images.table.programs(config.image, env.keys())],
				})
			: imageRootSteps({ ...environment, ...common, files, volumeDirectories: files.volumes })),
		...(config.tty ? [terminalStep(record)] : []),
		...identitySteps({ command, env, identity, security, workingDir, ownUsers, environment }),
	];
}
