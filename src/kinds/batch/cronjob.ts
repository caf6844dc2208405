import type { Cause } from "../../core/errors.ts";
import { messageOf } from "../../core/errors.ts";
import { isTimeZone, parseCron } from "../../core/time/cron.ts";
import { nonNegative, requiredOneOf } from "../../core/validation/field-checks.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { oldVersion } from "../conversion/deprecation.ts";
import { ageColumn, column, nameColumn, selectorText, since, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CronJob, CronJobSpec } from "../generated/types.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";
import { validateJobSpec } from "./job-validate.ts";

/** Leaves room for the 11 characters that names of Jobs add. */
const longestName = 52;

export const cronJobs: Kind<CronJob> = {
	group: "batch",
	version: "v1",
	kind: "CronJob",
	plural: "cronjobs",
	singular: "cronjob",
	shortNames: ["cj"],
	categories: ["all"],
	namespaced: true,
	schema: "CronJob",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Schedule", "When jobs are started, in cron's notation.", ({ spec }) => spec.schedule),
		column("Timezone", "Time zone of the schedule.", ({ spec }) => spec.timeZone ?? "<none>"),
		column("Suspend", "Whether no more jobs are started.", ({ spec }) => {
			return spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False";
		}),
		column("Active", "Jobs that are running.", ({ status }) => status?.active?.length ?? 0, "integer"),
		column("Last Schedule", "Time since a job was last started.", ({ status }, nowMs) =>
			status?.lastScheduleTime === undefined ? "<none>" : since(status.lastScheduleTime, nowMs),
		),
		ageColumn,
		...templateColumns<CronJob>(
			({ spec }) => spec.jobTemplate?.spec?.template,
			({ spec }) => selectorText(spec.jobTemplate?.spec?.selector),
		),
	],

	setDefaults({ spec }) {
		spec.concurrencyPolicy ||= "Allow";
		spec.suspend ??= false;
		spec.successfulJobsHistoryLimit ??= 3;
		spec.failedJobsHistoryLimit ??= 1;
		const empty = { template: { spec: { containers: [] } } };
		spec.jobTemplate ??= { spec: empty };
		spec.jobTemplate.spec ??= empty;
		setPodTemplateDefaults(spec.jobTemplate.spec);
	},
	prepareForCreate(cronJob) {
		cronJob.status = {};
	},
	prepareForUpdate(cronJob, old) {
		cronJob.status = old.status ?? {};
	},
	validate({ metadata, spec }) {
		const causes: Cause[] = [];
		if ((metadata.name ?? "").length > longestName)
			causes.push(invalidValue("metadata.name", metadata.name, `must be no more than ${longestName} characters`));
		return [
			...causes,
			...schedule(spec),
			...nonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds"),
			...requiredOneOf(spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"], "spec.concurrencyPolicy"),
			...jobTemplate(spec),
			...nonNegative(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
			...nonNegative(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
		];
	},
	warnings: ({ spec }) => [
		// Upstream rejects new ones since 1.27 and keeps running existing ones; older manifests must work here.
		...(spec.schedule?.includes("TZ")
			? ["spec.schedule: TZ and CRON_TZ in a schedule are not officially supported; use spec.timeZone instead"]
			: []),
		...podSpecWarnings(spec.jobTemplate?.spec?.template?.spec, "spec.jobTemplate.spec.template.spec"),
	],
	servedAs: [
		oldVersion({
			apiVersion: "batch/v1beta1",
			kind: "CronJob",
			deprecatedIn: "v1.21",
			removedIn: "v1.25",
			current: "batch/v1",
		}),
		oldVersion({
			apiVersion: "batch/v2alpha1",
			kind: "CronJob",
			deprecatedIn: "v1.8",
			removedIn: "v1.21",
			current: "batch/v1",
		}),
	],
};

function schedule({ schedule: text, timeZone }: CronJobSpec): Cause[] {
	const at = "spec.schedule";
	const causes: Cause[] = [];
	if (!text) causes.push(required(at));
	else if (text.includes("TZ") && timeZone !== undefined)
		causes.push(invalidValue(at, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
	else {
		const problem = scheduleProblem(text);
		if (problem !== undefined) causes.push(invalidValue(at, text, problem));
	}
	return [...causes, ...zone(timeZone)];
}

function zone(timeZone: string | undefined): Cause[] {
	if (timeZone === undefined) return [];
	const at = "spec.timeZone";
	if (timeZone === "") return [invalidValue(at, timeZone, "timeZone must be nil or non-empty string")];
	if (timeZone.toLowerCase() === "local")
		return [
			invalidValue(
				at,
				timeZone,
				"timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
			),
		];
	return isTimeZone(timeZone) ? [] : [invalidValue(at, timeZone, `unknown time zone ${timeZone}`)];
}

/** The message of the parser that Kubernetes uses; undefined for a valid schedule. */
function scheduleProblem(text: string): string | undefined {
	try {
		parseCron(text);
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}

function jobTemplate({ jobTemplate: template }: CronJobSpec): Cause[] {
	const at = "spec.jobTemplate.spec";
	if (template?.spec === undefined) return [required(at)];
	const causes = validateJobSpec(template.spec, at);
	if (template.spec.selector !== undefined)
		causes.push(invalidValue(`${at}.selector`, template.spec.selector, "`selector` will be auto-generated"));
	if (template.spec.manualSelector === true) causes.push(notSupported(`${at}.manualSelector`, true, ["nil", "false"]));
	return causes;
}
