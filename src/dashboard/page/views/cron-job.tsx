/** A CronJob: its schedule in words, the next runs in both zones, and all past ones, deleted Jobs included. */
import { useSignal } from "@preact/signals";
import type { CronJob } from "../../../kinds/generated/types.ts";
import type { Run, RunResult } from "../../../kinds/history/types.ts";
import { manualJob } from "../../../kinds/self-help/manual-job.ts";
import { Action, CancelDraft } from "../parts/action.tsx";
import { ObjectLink } from "../parts/object-link.tsx";
import { Badge, type Tone } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { TimeLine } from "../parts/time-line.tsx";
import { patch, post } from "../state/api.ts";
import { nowMs } from "../state/clock.ts";
import { all, controlled, pathOf, roots } from "../state/objects.ts";
import { session } from "../state/session.ts";
import { inWords, nextRuns, scheduleProblem } from "../text/schedule.ts";
import { age, dateTime, span, until } from "../text/times.ts";
import { words } from "../text/words.ts";
import { Frame } from "./frame.tsx";

const mostRuns = 50;

export function CronJobView({ cronJob }: { cronJob: CronJob }) {
	const w = words();
	const { metadata, spec } = cronJob;
	const jobs = controlled("jobs", metadata.uid);
	const pods = jobs.flatMap((job) => controlled("pods", job.metadata.uid));
	const path = pathOf("cronjobs", metadata);
	const actions = (
		<>
			<Action run={() => runNow(cronJob)}>{w.runNow}</Action>
			<Action run={() => patch(path, { merge: { spec: { suspend: !spec.suspend } } })}>
				{spec.suspend ? w.resume : w.suspend}
			</Action>
		</>
	);
	const uids = jobs.map((job) => job.metadata.uid);
	return (
		<Frame type="cronjob" plural="cronjobs" object={cronJob} pods={pods} uids={uids} actions={actions}>
			<Schedule key={metadata.uid} cronJob={cronJob} path={path} />
			<PastRuns cronJob={cronJob} />
		</Frame>
	);
}

/** As `cox run` does it. */
async function runNow(cronJob: CronJob): Promise<void> {
	const job = manualJob(cronJob, { by: session.value?.user ?? "", env: [] });
	const { namespace } = cronJob.metadata;
	await post(`${roots.jobs}/namespaces/${namespace}/jobs`, { apiVersion: "batch/v1", kind: "Job", ...job });
}

function Schedule({ cronJob, path }: { cronJob: CronJob; path: string }) {
	const w = words();
	const draft = useSignal<string | undefined>(undefined);
	const { schedule: current, timeZone = "UTC", suspend } = cronJob.spec;
	const schedule = draft.value ?? current;
	const problem = scheduleProblem(schedule);
	return (
		<section class="card" aria-label={w.schedule}>
			<h2>{w.schedule}</h2>
			<div class="bar">
				<input
					aria-label={w.schedule}
					aria-invalid={problem !== undefined}
					value={schedule}
					readOnly={session.value?.readOnly !== false}
					onInput={(event) => (draft.value = event.currentTarget.value)}
				/>
				<span>{timeZone}</span>
				<Action
					disabled={schedule === current || problem !== undefined}
					run={async () => {
						await patch(path, { merge: { spec: { schedule } } });
						draft.value = undefined;
					}}
				>
					{w.apply}
				</Action>
				<CancelDraft draft={draft} />
			</div>
			<p aria-live="polite">{problem ?? inWords(schedule)}</p>
			{problem === undefined && (
				<Table class={suspend ? "off" : ""} headings={[w.nextRuns, w.yourTime, `${w.jobTime} (${timeZone})`]}>
					<tr class="now">
						<td>{w.now}</td>
						<td>{dateTime(nowMs())}</td>
						<td>{dateTime(nowMs(), timeZone)}</td>
					</tr>
					{nextRuns(schedule, timeZone, nowMs()).map((atMs) => (
						<tr key={atMs}>
							<td>
								{w.in} {until(atMs)}
							</td>
							<td>{dateTime(atMs)}</td>
							<td>{dateTime(atMs, timeZone)}</td>
						</tr>
					))}
				</Table>
			)}
		</section>
	);
}

const tones: Readonly<Record<RunResult, Tone>> = {
	Running: "busy",
	Succeeded: "done",
	Failed: "bad",
	Deleted: "off",
	Skipped: "off",
};

function PastRuns({ cronJob }: { cronJob: CronJob }) {
	const w = words();
	const runs = all("runs")
		.filter(({ spec }) => spec.cronJobUID === cronJob.metadata.uid)
		.toSorted((a, b) => startMs(b) - startMs(a))
		.slice(0, mostRuns);
	const spans = runs.toReversed().map((run) => {
		const endMs = endOf(run);
		const tone = tones[run.status.result];
		return { id: run.metadata.uid, label: run.metadata.name, startMs: startMs(run), endMs, tone };
	});
	return (
		<section>
			<h2>{w.pastRuns}</h2>
			<TimeLine spans={spans} />
			{runs.length === 0 && <p class="empty">{w.noRuns}</p>}
			{runs.length > 0 && (
				<Table headings={[w.started, w.age, w.result, w.duration, w.name, w.message]}>
					{runs.map((run) => {
						const { metadata, spec, status } = run;
						return (
							<tr key={metadata.uid}>
								<td>{dateTime(startMs(run))}</td>
								<td>{age(status.startTime ?? spec.scheduledTime)}</td>
								<td>
									<Badge tone={tones[status.result]} word={resultOf(status)} />
								</td>
								<td>{status.skipped === undefined && span(status.startTime, status.endTime)}</td>
								<td>
									{spec.jobName !== undefined && (
										<ObjectLink type="job" of={{ namespace: metadata.namespace, name: spec.jobName }} />
									)}
								</td>
								<td>{status.message ?? status.reason ?? ""}</td>
							</tr>
						);
					})}
				</Table>
			)}
		</section>
	);
}

function resultOf({ result, skipped }: Run["status"]): string {
	return skipped === undefined || skipped.count === 1 ? result : `${result} ×${skipped.count}`;
}

/** Of skipped runs: when the last of them was due. */
function endOf({ status: { endTime, skipped } }: Run): number {
	const end = skipped?.lastScheduledTime ?? endTime;
	return end === undefined ? nowMs() : Date.parse(end);
}

function startMs({ metadata, spec, status }: Run): number {
	return Date.parse(status.startTime ?? spec.scheduledTime ?? metadata.creationTimestamp);
}
