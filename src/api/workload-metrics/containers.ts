/** Families of a pod's containers: the same ones for containers and for init containers. */
import type { Container, ContainerState, ContainerStatus, Pod } from "../../kinds/generated/types.ts";
import { addAmounts, type Family, labelOf, unixTime } from "./family.ts";

type Role = "container" | "init_container";

export const containerFamilies: readonly Family<Pod>[] = [...familiesOf("container"), ...familiesOf("init_container")];

function familiesOf(role: Role): Family<Pod>[] {
	const what = role === "container" ? "container" : "init container";
	const name = (suffix: string) => `kube_pod_${role}_${suffix}`;
	const state = (is: keyof ContainerState, words: string) =>
		ofStatus(role, name(`status_${is}`), `Whether the ${what} ${words}`, ({ state: now }) =>
			flag(now?.[is] !== undefined),
		);
	return [
		{
			name: name("info"),
			help: `The ${what}`,
			each(pod, add) {
				const statuses = statusesOf(pod, role);
				for (const container of containersOf(pod, role)) {
					const status = statuses.find((one) => one.name === container.name);
					if (status === undefined) continue;
					const { image, imageID, containerID } = status;
					const labels = {
						container: container.name,
						image_spec: container.image,
						image,
						image_id: imageID,
						container_id: containerID,
					};
					add(1, role === "container" ? labels : { ...labels, restart_policy: container.restartPolicy });
				}
			},
		},
		state("waiting", "waits"),
		state("running", "runs"),
		state("terminated", "has ended"),
		reason(role, name("status_waiting_reason"), `Why the ${what} waits`, ({ state: now }) => now?.waiting?.reason),
		reason(
			role,
			name("status_terminated_reason"),
			`Why the ${what} has ended`,
			({ state: now }) => now?.terminated && (now.terminated.reason ?? ""),
		),
		reason(
			role,
			name("status_last_terminated_reason"),
			`Why the ${what} ended before`,
			({ lastState }) => lastState?.terminated && (lastState.terminated.reason ?? ""),
		),
		ofStatus(
			role,
			name("status_last_terminated_exitcode"),
			`How the ${what} ended before`,
			({ lastState }) => lastState?.terminated?.exitCode,
		),
		ofStatus(
			role,
			name("status_last_terminated_timestamp"),
			`When the ${what} ended before, in Unix time`,
			({ lastState }) => unixTime(lastState?.terminated?.finishedAt),
		),
		ofStatus(role, name("state_started"), `When the ${what} started, in Unix time`, ({ state: now }) =>
			unixTime((now?.running ?? now?.terminated)?.startedAt),
		),
		ofStatus(role, name("status_ready"), `Whether the ${what} is ready`, ({ ready }) => flag(ready)),
		{
			...ofStatus(
				role,
				name("status_restarts_total"),
				`How often the ${what} was started again`,
				(status) => status.restartCount,
			),
			type: "counter",
		},
		amounts(role, "requests", name("resource_requests"), `What the ${what} asks for`),
		amounts(role, "limits", name("resource_limits"), `What the ${what} may use`),
	];
}

function flag(is: boolean): number {
	return is ? 1 : 0;
}

function containersOf({ spec }: Pod, role: Role): readonly Container[] {
	return (role === "container" ? spec.containers : spec.initContainers) ?? [];
}

function statusesOf({ status }: Pod, role: Role): readonly ContainerStatus[] {
	return (role === "container" ? status?.containerStatuses : status?.initContainerStatuses) ?? [];
}

function ofStatus(
	role: Role,
	name: string,
	help: string,
	of: (status: ContainerStatus) => number | undefined,
): Family<Pod> {
	return ofEachStatus(role, name, help, of, (found, container) => [found, container]);
}

function reason(
	role: Role,
	name: string,
	help: string,
	of: (status: ContainerStatus) => string | undefined,
): Family<Pod> {
	return ofEachStatus(role, name, help, of, (found, container) => [1, `${container},${labelOf("reason", found)}`]);
}

function ofEachStatus<T>(
	role: Role,
	name: string,
	help: string,
	of: (status: ContainerStatus) => T | undefined,
	sample: (found: T, container: string) => [value: number, labels: string],
): Family<Pod> {
	return {
		name,
		help,
		each(pod, add) {
			for (const status of statusesOf(pod, role)) {
				const found = of(status);
				if (found !== undefined) add(...sample(found, labelOf("container", status.name)));
			}
		},
	};
}

function amounts(role: Role, what: "requests" | "limits", name: string, help: string): Family<Pod> {
	return {
		name,
		help,
		each(pod, add) {
			for (const { name: container, resources } of containersOf(pod, role))
				addAmounts(
					add,
					resources?.[what],
					`${labelOf("container", container)},${labelOf("node", pod.spec.nodeName ?? "")}`,
				);
		},
	};
}
