/** The metrics of the objects of a kind: families of series, each computed from one object. Pure. */

import type { KubeObject, OwnerReference } from "../../core/object.ts";
import { parseQuantity } from "../../core/quantity.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

export type Labels = Readonly<Record<string, string | undefined>>;

/**
 * Adds a series with a value of the object.
 * @param labels in addition to those of the object; undefined ones are empty. As text in the form of `labelText`, which
 * families of thousands of series compute once
 */
export type Add = (value: number, labels?: Labels | string) => void;

export interface Family<T> {
	name: string;
	help: string;
	/** Default: gauge. */
	type?: "counter";
	each(object: T, add: Add): void;
}

export interface KindFamilies<T extends KubeObject = KubeObject> {
	kind: Kind<T>;
	/** Labels that every series of an object has. */
	labels(object: T): Labels;
	families: readonly Family<T>[];
}

/** A list of kinds mixes their types: the caller hands each kind's objects to that kind's families. */
export function ofKind<T extends KubeObject>(
	kind: Kind<T>,
	labels: (object: T) => Labels,
	families: readonly Family<T>[],
): KindFamilies {
	return { kind, labels, families } as unknown as KindFamilies;
}

/** `namespace="default",pod="web-0"`: labels without braces, so that others can be appended. */
export function labelText(labels: Labels): string {
	let text = "";
	for (const name in labels) {
		const value = labels[name] ?? "";
		text += `${text === "" ? "" : ","}${name}="${escaped(value)}"`;
	}
	return text;
}

/** One label with its value. */
export function labelOf(name: string, value: string): string {
	return `${name}="${escaped(value)}"`;
}

function escaped(text: string): string {
	return /["\\\n]/.test(text)
		? text.replace(/["\\\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`))
		: text;
}

/** A family with one value per object; undefined: no series. */
export function value<T>(name: string, help: string, of: (object: T) => number | undefined): Family<T> {
	return {
		name,
		help,
		each(object, add) {
			const found = of(object);
			if (found !== undefined) add(found);
		},
	};
}

/** A family whose value is always 1, with the information in its labels. Undefined: no series. */
export function info<T>(name: string, help: string, of: (object: T) => Labels | undefined = () => ({})): Family<T> {
	return {
		name,
		help,
		each(object, add) {
			const labels = of(object);
			if (labels !== undefined) add(1, labels);
		},
	};
}

/** 1 for the current one, 0 for the others. */
export function oneOf<T>(
	name: string,
	help: string,
	label: string,
	values: readonly string[],
	of: (object: T) => string | undefined,
): Family<T> {
	const texts = values.map((one) => labelOf(label, one));
	return {
		name,
		help,
		each(object, add) {
			const found = of(object) ?? "";
			if (found !== "") for (const [index, text] of texts.entries()) add(values[index] === found ? 1 : 0, text);
		},
	};
}

const statuses = ["true", "false", "unknown"] as const;

/** 1 for the condition's status, 0 for the others. @param label name of the label for the status */
export function addStatus(add: Add, status: string, label: string, labels?: Labels): void {
	const is = status.toLowerCase();
	const others = labels === undefined ? "" : `${labelText(labels)},`;
	for (const one of statuses) add(is === one ? 1 : 0, `${others}${label}="${one}"`);
}

/** Conditions of an object by type and status. */
export function conditions<T>(
	name: string,
	help: string,
	of: (object: T) => readonly { type: string; status: string }[] | undefined,
): Family<T> {
	return {
		name,
		help,
		each(object, add) {
			for (const { type, status } of of(object) ?? []) addStatus(add, status, "status", { condition: type });
		},
	};
}

/** The creation time, under kube-state-metrics' name. */
export function created<T extends KubeObject>(kind: string): Family<T> {
	return value(`kube_${kind}_created`, "When it was made, in Unix time", ({ metadata }) =>
		unixTime(metadata.creationTimestamp),
	);
}

export function deletion<T extends KubeObject>(kind: string): Family<T> {
	return value(`kube_${kind}_deletion_timestamp`, "Time from which it is deleted, in Unix time", ({ metadata }) =>
		unixTime(metadata.deletionTimestamp),
	);
}

export function resourceVersion<T extends KubeObject>(kind: string): Family<T> {
	return value(`kube_${kind}_metadata_resource_version`, "Its resource version", ({ metadata }) =>
		Number(metadata.resourceVersion),
	);
}

export function generation<T extends KubeObject>(kind: string): Family<T> {
	return value(
		`kube_${kind}_metadata_generation`,
		"The generation of what is wanted",
		({ metadata }) => metadata.generation ?? 0,
	);
}

/** One series per owner; one with empty labels if there is none. */
export function owners<T extends KubeObject>(kind: string): Family<T> {
	return {
		name: `kube_${kind}_owner`,
		help: "Owner",
		each({ metadata: { ownerReferences = [] } }, add) {
			if (ownerReferences.length === 0) add(1, { owner_kind: "", owner_name: "", owner_is_controller: "" });
			for (const owner of ownerReferences) add(1, ownerLabels(owner));
		},
	};
}

function ownerLabels({ kind, name, controller = false }: OwnerReference): Labels {
	return { owner_kind: kind, owner_name: name, owner_is_controller: String(controller) };
}

/** In seconds; undefined if absent or invalid. */
export function unixTime(timestamp: string | undefined | null): number | undefined {
	return timestamp === undefined || timestamp === null ? undefined : secondsOf(timestamp);
}

/**
 * Quantities by resource, with kube-state-metrics' units.
 * @param labels text of the labels before resource and unit
 */
export function addAmounts(add: Add, amounts: Readonly<Record<string, string | undefined>> = {}, labels = ""): void {
	for (const name in amounts) {
		const quantity = amounts[name];
		const resource = resourceLabels(name);
		if (quantity === undefined || resource === undefined) continue;
		add(amountOf(quantity), labels === "" ? resource : `${labels},${resource}`);
	}
}

/** Timestamps repeat: a change often affects many pods within a few seconds. */
const secondsOf = remembered((timestamp) => Math.floor(parseTimestamp(timestamp) / 1000));

/** Quantities repeat: all pods of a template have the same. */
const amountOf = remembered(parseQuantity);

/** Undefined for resources that kube-state-metrics omits. */
const resourceLabels = remembered((name) => {
	const unit = unitOf(name);
	return unit && labelText({ resource: name.replace(/[^a-zA-Z0-9_]/g, "_"), unit });
});

/** Caches results. Too many entries clear the cache. */
function remembered<T>(of: (text: string) => T): (text: string) => T {
	const known = new Map<string, T>();
	const most = 1000;
	return (text) => {
		let found = known.get(text);
		if (found === undefined) {
			if (known.size >= most) known.clear();
			found = of(text);
			known.set(text, found);
		}
		return found;
	};
}

function unitOf(resource: string): string | undefined {
	if (resource === "cpu") return "core";
	if (resource === "pods") return "integer";
	if (["memory", "storage", "ephemeral-storage"].includes(resource)) return "byte";
	if (resource.startsWith("hugepages-") || resource.startsWith("attachable-volumes-")) return "byte";
	return resource.includes("/") && !resource.includes("kubernetes.io/") ? "integer" : undefined;
}
