/**
 * User-defined texts in Liquid. Any user who may write a policy can write them, so there are no loops, assignments,
 * files or filters except those below: the size of the output is limited by the input, and only the library's code
 * runs.
 */
import type { Liquid } from "liquidjs";
import { messageOf } from "../../core/errors.ts";
import { humanDuration } from "../../core/time/age.ts";
import { commandOf, type Notification, titleOf } from "../sinks/notification.ts";

const tags = new Set(["if", "unless", "case", "comment", "raw", "#", "inline_comment"]);
const filters = new Set([
	"upcase",
	"downcase",
	"capitalize",
	"default",
	"truncate",
	"strip",
	"escape",
	"json",
	"date",
	"slice",
]);
const mostTemplates = 500;
const mostOperations = 10_000;
const mostBytes = 256 * 1024;

let engine: Promise<Liquid> | undefined;
/** Template → its problem; undefined if there is none. */
const checked = new Map<string, string | undefined>();

async function loaded(): Promise<Liquid> {
	const { Liquid } = await import("liquidjs");
	const made = new Liquid({
		strictVariables: true,
		strictFilters: true,
		lenientIf: true,
		ownPropertyOnly: true,
		// No files: other templates are looked up here.
		templates: {},
		parseLimit: mostBytes,
		memoryLimit: mostBytes * 4,
		renderLimit: mostOperations,
	});
	for (const name of Object.keys(made.tags)) if (!tags.has(name)) delete made.tags[name];
	for (const name of Object.keys(made.filters)) if (!filters.has(name)) delete made.filters[name];
	return made;
}

/** @throws Error that describes the problem of the template */
export async function render(template: string, variables: Readonly<Record<string, string | number>>): Promise<string> {
	engine ??= loaded();
	const liquid = await engine;
	const text = await liquid.parseAndRender(template, variables);
	return String(text).slice(0, mostBytes);
}

/** The problem of a template, from a test rendering. */
export async function templateProblem(template: string): Promise<string | undefined> {
	if (checked.has(template)) return checked.get(template);
	if (checked.size >= mostTemplates) checked.clear();
	const problem = await render(template, variablesOf(sample, "")).then(
		() => undefined,
		(error: unknown) => messageOf(error).split("\n")[0] ?? "",
	);
	checked.set(template, problem);
	return problem;
}

const sample: Notification = {
	id: "",
	event: "Failed",
	at: "2026-01-01T00:00:00Z",
	namespace: "default",
	kind: "Job",
	name: "sample",
	policy: "sample",
};

/** Every variable is defined, so that an unknown name is detected as a mistake. */
export function variablesOf(notification: Notification, log: string): Record<string, string | number> {
	const { durationMs, exitCode = "", attempts = "", count = "", startTime = "", endTime = "" } = notification;
	const {
		event,
		namespace,
		kind,
		name,
		policy,
		job = "",
		run = "",
		result = "",
		reason = "",
		message = "",
		node = "",
	} = notification;
	return {
		event,
		namespace,
		kind,
		name,
		policy,
		job,
		run,
		result,
		reason,
		message,
		node,
		started: startTime,
		ended: endTime,
		duration: durationMs === undefined ? "" : humanDuration(durationMs),
		attempts,
		exitCode,
		count,
		log,
		command: commandOf(notification),
		title: titleOf(notification),
	};
}
