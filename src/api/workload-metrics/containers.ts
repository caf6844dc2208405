/** Families of a pod's containers: the same for containers and init containers. */
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
			help: `Information about the ${what}`,
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
		reason(
			role,
			name("status_waiting_reason"),
			`Reason why the ${what} waits`,
			({ state: now }) => now?.waiting?.reason,
		),
		reason(
			role,
			name("status_terminated_reason"),
			`Reason why the ${what} terminated`,
			({ state: now }) => now?.terminated && (now.terminated.reason ?? ""),
		),
		reason(
			role,
			name("status_last_terminated_reason"),
			`Reason of the last termination of the ${what}`,
			({ lastState }) => lastState?.terminated && (lastState.terminated.reason ?? ""),
		),
		ofStatus(
			role,
			name("status_last_terminated_exitcode"),
			`Exit code of the last termination of the ${what}`,
			({ lastState }) => lastState?.terminated?.exitCode,
		),
		ofStatus(
			role,
			name("status_last_terminated_timestamp"),
			`Last termination of the ${what} in Unix time`,
			({ lastState }) => unixTime(lastState?.terminated?.finishedAt),
		),
		ofStatus(role, name("state_started"), `Start time of the ${what} in Unix time`, ({ state: now }) =>
			unixTime((now?.running ?? now?.terminated)?.startedAt),
		),
		ofStatus(role, name("status_ready"), `Whether the ${what} is ready`, ({ ready }) => flag(ready)),
		{
			...ofStatus(
				role,
				name("status_restarts_total"),
				`Number of restarts of the ${what}`,
				(status) => status.restartCount,
			),
			type: "counter",
		},
		amounts(role, "requests", name("resource_requests"), `Resource requests of the ${what}`),
		amounts(role, "limits", name("resource_limits"), `Resource limits of the ${what}`),
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
