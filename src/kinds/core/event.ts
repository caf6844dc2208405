import { sameJson } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { column, nameColumn, since, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Event, EventsEvent } from "../generated/types.ts";

const involved = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;

export const events: Kind<Event> = {
	group: "",
	version: "v1",
	kind: "Event",
	plural: "events",
	singular: "event",
	shortNames: ["ev"],
	categories: [],
	namespaced: true,
	schema: "Event",
	subresources: {},
	hasGeneration: false,
	// Upstream's default `--event-ttl`.
	ttlMs: 3_600_000,
	nameRule: "dnsSubdomain",
	selectableFields: [
		...involved.map((field) => ({
			path: `involvedObject.${field}`,
			value: ({ involvedObject }: Event) => involvedObject?.[field] ?? "",
		})),
		{ path: "reason", value: ({ reason }) => reason ?? "" },
		{ path: "reportingComponent", value: ({ reportingComponent }) => reportingComponent ?? "" },
		{ path: "source", value: (event) => event.source?.component || event.reportingComponent || "" },
		{ path: "type", value: ({ type }) => type ?? "" },
	],
	columns: [
		column("Last Seen", "Time since it last happened.", lastSeen),
		column("Type", "Normal or Warning.", ({ type }) => type ?? ""),
		column("Reason", "What happened, in a word.", ({ reason }) => reason ?? ""),
		column("Object", "What it happened to.", ({ involvedObject: { kind, name } = {} }) =>
			kind ? `${kind.toLowerCase()}/${name ?? ""}` : (name ?? ""),
		),
		wideColumn("Subobject", "Part of the object that it happened to.", ({ involvedObject }) => {
			return involvedObject?.fieldPath ?? "";
		}),
		wideColumn("Source", "Who reports it.", sourceText),
		column("Message", "What happened.", ({ message }) => (message ?? "").trim()),
		wideColumn("First Seen", "Time since it first happened.", ({ firstTimestamp, eventTime }, nowMs) =>
			since(firstTimestamp ?? eventTime, nowMs),
		),
		wideColumn("Count", "How often it happened.", ({ series, count }) => series?.count ?? (count || 1), "integer"),
		{ ...nameColumn, priority: 1 },
	],

	setDefaults(event) {
		event.involvedObject ??= {};
	},
	validate(event) {
		const { metadata, involvedObject } = event;
		const namespace = involvedObject?.namespace ?? "";
		const at = "involvedObject.namespace";
		// Events of cluster-scoped objects are in the default namespace, or in kube-system.
		const home = namespace === "" ? ["", "default", "kube-system"] : [namespace];
		const isHome = metadata.namespace === undefined || home.includes(metadata.namespace);
		return [
			...(isHome ? [] : [invalidValue(at, namespace, "does not match event.namespace")]),
			...reporterProblems(event),
		];
	},
	servedAs: [
		{
			group: "events.k8s.io",
			version: "v1",
			schema: "EventsEvent",
			selectableFields: {
				...Object.fromEntries(involved.map((field) => [`regarding.${field}`, `involvedObject.${field}`])),
				reason: "reason",
				reportingController: "reportingComponent",
				type: "type",
				"metadata.namespace": "metadata.namespace",
				"metadata.name": "metadata.name",
			},
			// The lookup has determined the kind.
			validate: (event, old) => strictProblems(event as Event, old as Event | undefined),
			toStorage: renameFields("events.k8s.io/v1", "v1"),
			fromStorage: renameFields("v1", "events.k8s.io/v1"),
		},
	],
};

const longestWordLength = 128;
const longestMessageLength = 1024;

/** An Event with a time in microseconds must also name its reporter and the action. */
function reporterProblems(event: Event): Cause[] {
	const { eventTime, reportingComponent = "", message = "" } = event;
	if (!eventTime) return [];
	const causes: Cause[] = [];
	if (reportingComponent === "") causes.push(required("reportingController"));
	else
		causes.push(...invalidEach("reportingController", reportingComponent, qualifiedNameProblems(reportingComponent)));
	for (const field of ["reportingInstance", "action", "reason"] as const) {
		const text = event[field] ?? "";
		if (text === "") causes.push(required(field));
		if (text.length > longestWordLength)
			causes.push(invalidValue(field, "", `can have at most ${longestWordLength} characters`));
	}
	if (message.length > longestMessageLength)
		causes.push(invalidValue("message", "", `can have at most ${longestMessageLength} characters`));
	return causes;
}

const fixedFields = [
	"involvedObject",
	"reason",
	"message",
	"source",
	"firstTimestamp",
	"lastTimestamp",
	"count",
	"type",
	"eventTime",
	"action",
	"related",
	"reportingComponent",
	"reportingInstance",
] as const;

/** Additional requirements of events.k8s.io/v1. */
function strictProblems(event: Event, old: Event | undefined): Cause[] {
	if (old !== undefined) {
		const changed = !sameJson(event.series, old.series);
		return [
			...(changed ? seriesProblems(event) : []),
			...fixedFields.flatMap((field) => immutable(event[field], old[field], field)),
		];
	}
	const { eventTime, type = "", source } = event;
	const causes = seriesProblems(event);
	if (!eventTime) causes.push(required("eventTime"));
	if (type !== "Normal" && type !== "Warning") causes.push(invalidValue("type", "", `has invalid value: ${type}`));
	for (const field of ["firstTimestamp", "lastTimestamp", "count"] as const)
		if (event[field]) causes.push(invalidValue(field, "", "needs to be unset"));
	if (source?.component || source?.host) causes.push(invalidValue("source", "", "needs to be unset"));
	return causes;
}

function seriesProblems({ series }: Event): Cause[] {
	if (!series) return [];
	return [
		...((series.count ?? 0) < 2 ? [invalidValue("series.count", "", "should be at least 2")] : []),
		...(series.lastObservedTime ? [] : [required("series.lastObservedTime")]),
	];
}

/** Fields with other names in the group events.k8s.io. */
const otherNames: readonly (readonly [keyof EventsEvent, keyof Event])[] = [
	["regarding", "involvedObject"],
	["note", "message"],
	["deprecatedCount", "count"],
	["deprecatedFirstTimestamp", "firstTimestamp"],
	["deprecatedLastTimestamp", "lastTimestamp"],
	["deprecatedSource", "source"],
	["reportingController", "reportingComponent"],
];

function renameFields(from: "v1" | "events.k8s.io/v1", to: "v1" | "events.k8s.io/v1"): (object: KubeObject) => void {
	return (object) => {
		// Fields are moved by name, which converts the object to the other type.
		const fields = object as unknown as Record<string, unknown>;
		for (const [grouped, core] of otherNames) {
			const [source, target] = from === "v1" ? [core, grouped] : [grouped, core];
			if (fields[source] === undefined) continue;
			fields[target] = fields[source];
			delete fields[source];
		}
		object.apiVersion = to;
	};
}

function lastSeen({ series, lastTimestamp, firstTimestamp, eventTime }: Event, nowMs: number): string {
	return since(series?.lastObservedTime ?? lastTimestamp ?? firstTimestamp ?? eventTime, nowMs);
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
	const parts = [source?.component || reportingComponent, source?.host || reportingInstance];
	return parts.filter((part) => part).join(", ");
}
