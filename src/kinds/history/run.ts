import { humanDuration } from "../../core/time/age.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { column, nameColumn, since, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import { historyTypes } from "./schemas.ts";
import type { Run } from "./types.ts";

/** The history of Jobs, kept after they are deleted. Only the cluster's recorder (history/) writes it. */
export const runs: Kind<Run> = {
	group: "history.coxswain.io",
	version: "v1",
	kind: "Run",
	plural: "runs",
	singular: "run",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "Run",
	types: historyTypes,
	readOnly: true,
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [
		{ path: "spec.jobName", value: ({ spec }) => spec.jobName ?? "" },
		{ path: "spec.cronJobName", value: ({ spec }) => spec.cronJobName ?? "" },
		{ path: "status.result", value: ({ status }) => status.result },
		{ path: "status.reason", value: ({ status }) => status.reason ?? "" },
	],
	columns: [
		nameColumn,
		column("Job", "Name of the Job.", ({ spec }) => spec.jobName ?? "<none>"),
		column("CronJob", "Name of the CronJob that made the Job.", ({ spec }) => spec.cronJobName ?? "<none>"),
		column("Result", "How it ended.", resultText),
		column("Started", "Time since it started, or should have.", ({ status, spec }, nowMs) =>
			since(status.startTime ?? status.skipped?.lastScheduledTime ?? spec.scheduledTime, nowMs),
		),
		column("Duration", "Time from start to end, or until now.", durationText),
		column("Attempts", "How often the work was begun.", ({ status }) => status.attempts ?? 0, "integer"),
		wideColumn("Reason", "Why it ended so.", ({ status }) => status.reason ?? "<none>"),
		wideColumn("Exit Code", "What the last container to fail, or else to end, ended with.", exitCodeText),
		wideColumn("Node", "Where the last pod ran.", ({ status }) => status.pods?.at(-1)?.node ?? "<none>"),
		wideColumn("Log Bytes", "Bytes that its logs take, compressed.", ({ status }) => status.logBytes ?? 0, "integer"),
	],
};

function resultText({ status }: Run): string {
	const count = status.skipped?.count ?? 1;
	return count > 1 ? `${status.result} (${count})` : status.result;
}

function durationText({ status }: Run, nowMs: number): string {
	if (status.startTime === undefined) return "";
	const endMs = status.endTime === undefined ? nowMs : parseTimestamp(status.endTime);
	return humanDuration(endMs - parseTimestamp(status.startTime));
}

function exitCodeText({ status }: Run): string {
	const codes = (status.pods ?? [])
		.flatMap(({ containers = [] }) => containers)
		.flatMap(({ attempts = [] }) => attempts)
		.flatMap(({ exitCode }) => exitCode ?? []);
	const code = codes.findLast((one) => one !== 0) ?? codes.at(-1);
	return code === undefined ? "<none>" : String(code);
}
