/** A pod: containers with their states and restarts, conditions, what it belongs to, and where it runs. */
import type { Container, ContainerStatus, Pod } from "../../../kinds/generated/types.ts";
import { ObjectLink, TypedLink } from "../parts/object-link.tsx";
import { Badge, type Status } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { session } from "../state/session.ts";
import { age, span } from "../text/times.ts";
import { words } from "../text/words.ts";
import { Frame } from "./frame.tsx";

export function PodView({ pod }: { pod: Pod }) {
	const w = words();
	const { metadata, spec, status = {} } = pod;
	const owner = metadata.ownerReferences?.find(({ controller }) => controller);
	const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
	return (
		<Frame type="pod" plural="pods" object={pod} pods={[pod]}>
			<dl class="facts">
				<dt>{w.node}</dt>
				<dd>{spec.nodeName ? <ObjectLink type="node" of={{ name: spec.nodeName }} /> : w.none}</dd>
				<dt>IP</dt>
				<dd>{status.podIP ?? w.none}</dd>
				<dt>{w.owner}</dt>
				<dd>
					{owner === undefined ? (
						w.none
					) : (
						<TypedLink type={owner.kind.toLowerCase()} of={{ namespace: metadata.namespace, name: owner.name }} />
					)}
				</dd>
				<dt>{w.age}</dt>
				<dd>{age(metadata.creationTimestamp)}</dd>
				<dt>{w.labels}</dt>
				<dd>
					{Object.entries(metadata.labels ?? {}).map(([key, value]) => (
						<code key={key}>
							{key}={value}{" "}
						</code>
					))}
				</dd>
			</dl>
			<h2>{w.containers}</h2>
			<Table headings={[w.name, w.status, w.restarts, w.duration, w.image, w.terminal]}>
				{[...(spec.initContainers ?? []), ...spec.containers].map((container) => (
					<ContainerRow
						key={container.name}
						pod={metadata.name}
						namespace={metadata.namespace ?? ""}
						container={container}
						status={statuses.find(({ name }) => name === container.name)}
					/>
				))}
			</Table>
			<h2>{w.conditions}</h2>
			<table>
				<tbody>
					{(status.conditions ?? []).map(({ type, status: is, reason, message, lastTransitionTime }) => (
						<tr key={type}>
							<td>
								<Badge tone={is === "True" ? "good" : "busy"} word={type ?? ""} />
							</td>
							<td>{age(lastTransitionTime)}</td>
							<td>
								{reason} {message}
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</Frame>
	);
}

interface ContainerRowProps {
	pod: string;
	namespace: string;
	container: Container;
	status: ContainerStatus | undefined;
}

function ContainerRow({ pod, namespace, container, status }: ContainerRowProps) {
	const { running, waiting, terminated } = status?.state ?? {};
	return (
		<tr>
			<td>{container.name}</td>
			<td>
				<Badge {...stateOf(status)} />
			</td>
			<td>{status?.restartCount ?? 0}</td>
			<td>{waiting === undefined ? span(running?.startedAt ?? terminated?.startedAt, terminated?.finishedAt) : ""}</td>
			<td>{container.image}</td>
			<td>
				{running !== undefined && session.value?.readOnly === false && (
					<a
						href={`/terminal?${new URLSearchParams({ namespace, pod, container: container.name })}`}
						target="_blank"
						rel="noopener"
					>
						{words().terminal}
					</a>
				)}
			</td>
		</tr>
	);
}

function stateOf(status: ContainerStatus | undefined): Status {
	const w = words();
	const { running, waiting, terminated } = status?.state ?? {};
	if (running !== undefined)
		return status?.ready ? { tone: "good", word: w.ready } : { tone: "busy", word: `${w.running}, ${w.notReady}` };
	if (terminated !== undefined)
		return {
			tone: terminated.exitCode === 0 ? "done" : "bad",
			word: `${terminated.reason ?? ""} (${w.exitCode} ${terminated.exitCode})`,
		};
	const reason = waiting?.reason ?? "";
	return { tone: /BackOff|Err|Invalid/.test(reason) ? "bad" : "busy", word: reason || w.none };
}
