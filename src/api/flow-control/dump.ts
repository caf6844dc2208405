/** `/debug/api_priority_and_fairness/…`: levels, queues and waiting requests as tables of text. */
import type { Level } from "./level.ts";

const root = "/debug/api_priority_and_fairness/";

/** Undefined for any other path. */
export function dumpAt(path: string, levels: readonly Level[]): string | undefined {
	if (!path.startsWith(root)) return undefined;
	const sorted = [...levels].sort((one, other) => (one.name < other.name ? -1 : 1));
	switch (path.slice(root.length)) {
		case "dump_priority_levels":
			return table(levelColumns, sorted.map(levelRow));
		case "dump_queues":
			return table(queueColumns, sorted.flatMap(queueRows));
		case "dump_requests":
			return table(requestColumns, sorted.flatMap(requestRows));
		default:
			return undefined;
	}
}

type Row = readonly (string | number | boolean)[];

const levelColumns = [
	"PriorityLevelName",
	"ActiveQueues",
	"IsIdle",
	"IsQuiescing",
	"WaitingRequests",
	"ExecutingRequests",
	"DispatchedRequests",
	"RejectedRequests",
	"TimedoutRequests",
	"CancelledRequests",
];

function levelRow({ name, queues, done }: Level): Row {
	const active = queues.queues.filter(({ waiting }) => waiting.size > 0).length;
	const isIdle = queues.running + queues.waiting === 0;
	const { dispatched, rejected, timedOut, cancelled } = done;
	return [name, active, isIdle, false, queues.waiting, queues.running, dispatched, rejected, timedOut, cancelled];
}

const queueColumns = [
	"PriorityLevelName",
	"Index",
	"PendingRequests",
	"ExecutingRequests",
	"SeatsInUse",
	"NextDispatchR",
];

function queueRows({ name, queues }: Level): Row[] {
	return queues.queues.map(({ number, waiting, running, seatsRunning, served }) => [
		name,
		number,
		waiting.size,
		running,
		seatsRunning,
		`${(served / 1000).toFixed(3)}ss`,
	]);
}

const requestColumns = [
	"PriorityLevelName",
	"FlowSchemaName",
	"QueueIndex",
	"RequestIndexInQueue",
	"FlowDistingsher",
	"InitialSeats",
];

function requestRows({ name, queues }: Level): Row[] {
	return queues.queues.flatMap(({ waiting, number }) =>
		[...waiting].map(({ flow, seats }, index): Row => {
			const cut = flow.indexOf(" ");
			return [name, flow.slice(0, cut), number, index, flow.slice(cut + 1), seats];
		}),
	);
}

/** Columns end with a comma, and stand below each other. */
function table(columns: readonly string[], rows: readonly Row[]): string {
	const lines = [columns, ...rows.map((row) => row.map(String))];
	const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length + 2)));
	const written = lines.map((line) =>
		line.map((cell, column) => (column < columns.length - 1 ? `${cell},`.padEnd(widths[column] ?? 0) : cell)).join(""),
	);
	return `${written.join("\n")}\n`;
}
