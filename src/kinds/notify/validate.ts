/** Validates the spec of a NotificationPolicy. Its status reports missing Secrets and invalid templates. */

import type { Cause } from "../../core/errors.ts";
import { messageOf } from "../../core/errors.ts";
import { isTimeZone } from "../../core/time/cron.ts";
import { durationMs } from "../../core/time/duration.ts";
import { requiredOneOf, requiredText, subdomainName } from "../../core/validation/field-checks.ts";
import {
	duplicate,
	forbidden,
	invalidEach,
	invalidValue,
	notSupported,
	required,
	tooLongValue,
	tooMany,
} from "../../core/validation/field-errors.ts";
import { dnsLabelProblems } from "../../core/validation/names.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import {
	eventKinds,
	type NotificationPolicySpec,
	type NotificationQuietHours,
	type NotificationSink,
	notificationEvents,
	notifiedKinds,
	type SecretSource,
} from "./types.ts";

const mostNames = 100;
const mostSinks = 10;
const mostRecipients = 20;
const mostLogLines = 50;
const templateBytes = 4096;
const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const sinkTypes = ["slack", "googleChat", "teams", "webhook", "email"] as const;

export function validateSpec(spec: NotificationPolicySpec, at: string): Cause[] {
	return [
		...workloads(spec, `${at}.workloads`),
		...closedList(spec.events ?? [], notificationEvents, `${at}.events`),
		...((spec.events ?? []).length === 0 ? [required(`${at}.events`)] : []),
		...eventsOfOthers(spec, `${at}.events`),
		...slow(spec, `${at}.slow`),
		...duration(spec.stuckFor, `${at}.stuckFor`),
		...duration(spec.suspendedFor, `${at}.suspendedFor`),
		...rate(spec, `${at}.atMost`),
		...quietHours(spec.quietHours, `${at}.quietHours`),
		...between(spec.logLines, 0, mostLogLines, `${at}.logLines`),
		...(["title", "text"] as const).flatMap((name) => template(spec.template?.[name], `${at}.template.${name}`)),
		...sinks(spec.sinks ?? [], `${at}.sinks`),
	];
}

function workloads({ workloads: selected = {} }: NotificationPolicySpec, at: string): Cause[] {
	const { selector, names = [], kinds = [] } = selected;
	return [
		...validateLabelSelector(selector, `${at}.selector`),
		...names.flatMap((name, index) => subdomainName(name, `${at}.names[${index}]`)),
		...(names.length > mostNames ? [tooMany(`${at}.names`, names.length, mostNames)] : []),
		...closedList(kinds, notifiedKinds, `${at}.kinds`),
	];
}

function closedList(values: readonly string[], supported: readonly string[], at: string): Cause[] {
	return values.flatMap((value, index) => {
		if (!supported.includes(value)) return [notSupported(`${at}[${index}]`, value, [...supported].sort())];
		return values.indexOf(value) < index ? [duplicate(`${at}[${index}]`, value)] : [];
	});
}

/** Events that do not apply to any of the selected kinds: nobody would ever be notified. */
function eventsOfOthers({ events = [], workloads: { kinds = [] } = {} }: NotificationPolicySpec, at: string): Cause[] {
	if (kinds.length === 0) return [];
	return events.flatMap((event, index) => {
		// Unknown events are reported by another check.
		const ofEvent = Object.hasOwn(eventKinds, event) ? eventKinds[event] : kinds;
		if (ofEvent.some((kind) => kinds.includes(kind))) return [];
		const why = `never happens to the selected kinds (${kinds.join(", ")}), only to ${ofEvent.join(", ")}`;
		return [invalidValue(`${at}[${index}]`, event, why)];
	});
}

function slow({ slow: limits }: NotificationPolicySpec, at: string): Cause[] {
	if (limits === undefined) return [];
	const { longerThan, timesUsual } = limits;
	if (longerThan === undefined && timesUsual === undefined)
		return [required(at, "must specify at least one of: `longerThan`, `timesUsual`")];
	const isOdd = timesUsual !== undefined && !(timesUsual > 1 && timesUsual <= 100);
	return [
		...duration(longerThan, `${at}.longerThan`),
		...(isOdd ? [invalidValue(`${at}.timesUsual`, timesUsual, "must be greater than 1 and at most 100")] : []),
	];
}

function rate({ atMost }: NotificationPolicySpec, at: string): Cause[] {
	if (atMost === undefined) return [];
	return [
		...between(atMost.count, 1, 1000, `${at}.count`),
		...(atMost.per === "" ? [required(`${at}.per`)] : duration(atMost.per, `${at}.per`)),
	];
}

function between(value: number | undefined, least: number, most: number, at: string): Cause[] {
	if (value === undefined || (value >= least && value <= most)) return [];
	return [invalidValue(at, value, `must be between ${least} and ${most}, inclusive`)];
}

function duration(text: string | undefined, at: string): Cause[] {
	if (text === undefined) return [];
	try {
		const isBetween = durationMs(text) >= 1000 && durationMs(text) <= 366 * 24 * 3_600_000;
		return isBetween ? [] : [invalidValue(at, text, "must be between 1s and 366d")];
	} catch (error) {
		return [invalidValue(at, text, messageOf(error))];
	}
}

function quietHours(hours: NotificationQuietHours | undefined, at: string): Cause[] {
	if (hours === undefined) return [];
	const { from, to, timeZone, action } = hours;
	const isZone = timeZone === undefined || (timeZone !== "" && isTimeZone(timeZone));
	return [
		...timeOfDay(from, `${at}.from`),
		...timeOfDay(to, `${at}.to`),
		...(from === to && from !== "" ? [invalidValue(`${at}.to`, to, "must differ from `from`")] : []),
		...(isZone ? [] : [invalidValue(`${at}.timeZone`, timeZone, `unknown time zone ${timeZone}`)]),
		...closedList(hours.days ?? [], days, `${at}.days`),
		...requiredOneOf(action, ["Hold", "Drop"], `${at}.action`),
	];
}

function timeOfDay(text: string, at: string): Cause[] {
	if (text === "") return [required(at)];
	if (/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return [];
	return [invalidValue(at, text, "must be a time of the day such as 22:00")];
}

function template(text: string | undefined, at: string): Cause[] {
	return text !== undefined && Buffer.byteLength(text) > templateBytes ? [tooLongValue(at, templateBytes)] : [];
}

function sinks(list: readonly NotificationSink[], at: string): Cause[] {
	if (list.length === 0) return [required(at)];
	if (list.length > mostSinks) return [tooMany(at, list.length, mostSinks)];
	const names = list.map(({ name }) => name);
	return list.flatMap((sink, index) => [
		...(sink.name === ""
			? [required(`${at}[${index}].name`)]
			: invalidEach(`${at}[${index}].name`, sink.name, dnsLabelProblems(sink.name))),
		...(names.indexOf(sink.name) < index ? [duplicate(`${at}[${index}].name`, sink.name)] : []),
		...oneSink(sink, `${at}[${index}]`),
	]);
}

function oneSink(sink: NotificationSink, at: string): Cause[] {
	const given = sinkTypes.filter((type) => sink[type] !== undefined);
	const [type, ...more] = given;
	if (type === undefined)
		return [required(at, `must specify one of: ${sinkTypes.map((name) => `\`${name}\``).join(", ")}`)];
	if (more.length > 0) return more.map((name) => forbidden(`${at}.${name}`, "may not specify more than 1 sink type"));
	if (type === "email") return email(sink, `${at}.email`);
	const keyFrom = type === "webhook" ? sink.webhook?.keyFrom : undefined;
	return [
		...secret(sink[type]?.urlFrom, `${at}.${type}.urlFrom`),
		...(keyFrom === undefined ? [] : secret(keyFrom, `${at}.${type}.keyFrom`)),
	];
}

function email({ email: sink }: NotificationSink, at: string): Cause[] {
	if (sink === undefined) return [];
	const { from, to = [] } = sink;
	return [
		...secret(sink.serverFrom, `${at}.serverFrom`),
		...address(from, `${at}.from`),
		...(to.length === 0 ? [required(`${at}.to`)] : []),
		...(to.length > mostRecipients ? [tooMany(`${at}.to`, to.length, mostRecipients)] : []),
		...to.flatMap((one, index) => address(one, `${at}.to[${index}]`)),
	];
}

/** Strict: real addresses do not use the other allowed characters, and some of them end a header. */
function address(text: string | undefined, at: string): Cause[] {
	if (text === undefined || text === "") return [required(at)];
	if (text.length <= 254 && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(text)) return [];
	return [invalidValue(at, text, "must be an e-mail address such as ops@example.com")];
}

function secret(source: SecretSource | undefined, at: string): Cause[] {
	const path = `${at}.secretKeyRef`;
	if (source?.secretKeyRef === undefined) return [required(path)];
	const { name, key } = source.secretKeyRef;
	return [...subdomainName(name, `${path}.name`), ...requiredText(key, `${path}.key`)];
}
