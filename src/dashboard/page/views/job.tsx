/** A Job: each attempt of each index on one time line, with exit codes. */
import { isTrue } from "../../../core/conditions.ts";
import type { Job, Pod } from "../../../kinds/generated/types.ts";
import { Action } from "../parts/action.tsx";
import { ObjectLink } from "../parts/object-link.tsx";
import { Badge, PodBadge, podStatus, type Status } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { TimeLine, type TimeSpan } from "../parts/time-line.tsx";
import { patch } from "../state/api.ts";
import { nowMs } from "../state/clock.ts";
import { controlled, pathOf } from "../state/objects.ts";
import { span } from "../text/times.ts";
import { words } from "../text/words.ts";
import { Frame } from "./frame.tsx";

const indexAnnotation = "batch.kubernetes.io/job-completion-index";

export function jobStatus(job: Job): Status {
	const w = words();
	if (isTrue(job, "Complete")) return { tone: "done", word: w.succeeded };
	if (isTrue(job, "Failed")) return { tone: "bad", word: w.failed };
	if (job.spec.suspend) return { tone: "off", word: w.suspend };
	return { tone: "busy", word: w.running };
}

export function JobView({ job }: { job: Job }) {
	const w = words();
	const pods = controlled("pods", job.metadata.uid).toSorted((a, b) => startOf(a) - startOf(b));
	const { succeeded = 0, failed = 0, active = 0, startTime, completionTime } = job.status ?? {};
	const isOver = isTrue(job, "Complete") || isTrue(job, "Failed");
	const actions = !isOver && (
		<Action run={() => patch(pathOf("jobs", job.metadata), { merge: { spec: { suspend: !job.spec.suspend } } })}>
			{job.spec.suspend ? w.resume : w.suspend}
		</Action>
	);
	return (
		<Frame type="job" plural="jobs" object={job} pods={pods} actions={actions}>
			<p class="bar">
				<Badge {...jobStatus(job)} />
				<span>
					{w.completions}: {succeeded}/{job.spec.completions ?? 1}
				</span>
				<span>
					{w.active}: {active}
				</span>
				<span>
					{w.failed}: {failed} (backoffLimit {job.spec.backoffLimit ?? 6})
				</span>
				<span>
					{w.duration}: {span(startTime, completionTime)}
				</span>
			</p>
			<TimeLine spans={pods.map(spanOf)} deadlineMs={deadlineOf(job)} />
			<Table headings={[w.attempt, w.pod, w.status, w.exitCode, w.duration]}>
				{pods.map((pod, index) => (
					<tr key={pod.metadata.uid}>
						<td>{pod.metadata.annotations?.[indexAnnotation] ?? index + 1}</td>
						<td>
							<ObjectLink type="pod" of={pod.metadata} />
						</td>
						<td>
							<PodBadge pod={pod} />
						</td>
						<td>{exitCodeOf(pod)}</td>
						<td>{span(pod.status?.startTime, finishedAt(pod))}</td>
					</tr>
				))}
			</Table>
		</Frame>
	);
}

function startOf({ metadata }: Pod): number {
	return Date.parse(metadata.creationTimestamp);
}

function finishedAt({ status }: Pod): string | undefined {
	if (status?.phase !== "Succeeded" && status?.phase !== "Failed") return undefined;
	return (
		status.containerStatuses
			?.map(({ state }) => state?.terminated?.finishedAt ?? "")
			.sort()
			.at(-1) || undefined
	);
}

function exitCodeOf({ status }: Pod): string {
	const codes = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.exitCode);
	return codes.filter((code) => code !== undefined).join(", ");
}

function spanOf(pod: Pod): TimeSpan {
	const end = finishedAt(pod);
	const { tone } = podStatus(pod);
	const endMs = end === undefined ? nowMs() : Date.parse(end);
	return { id: pod.metadata.uid, label: pod.metadata.name, startMs: startOf(pod), endMs, tone };
}

function deadlineOf({ spec, status }: Job): number | undefined {
	if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined) return undefined;
	return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000;
}
