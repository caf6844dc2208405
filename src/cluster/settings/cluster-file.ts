/** A cluster that is described in a file (`cox up -f FILE`). Pure: a document in, settings of a start and nodes out. */
import { type Cause, messageOf } from "../../core/errors.ts";
import { type ConfigField, causesText, ConfigField as Field } from "../../core/validation/config-field.ts";
import { labels as labelCauses } from "../../core/validation/field-checks.ts";
import { duplicate, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, labelValueProblems, qualifiedNameProblems } from "../../core/validation/names.ts";
import type { Taint } from "../../kinds/generated/types.ts";
import { runtimes } from "../../runtime/runtime-kind.ts";
import { parsePublish } from "../gateway/publish-address.ts";
import { parseIngressPorts } from "../ingress/ports.ts";
import type { Settings } from "./settings.ts";

const apiVersion = "coxswain.io/v1";
const kind = "Cluster";

/** A node of the file. */
export interface DescribedNode {
	name: string;
	labels: Record<string, string>;
	taints: Taint[];
}

export interface DescribedCluster {
	/** Those of the options of `cox up` that the file names. */
	options: Partial<
		Pick<Settings, "runtime" | "clock" | "images" | "imageStore" | "publish" | "ingressPorts" | "showHome">
	>;
	nodes: DescribedNode[];
}

const optionNames = ["runtime", "clock", "images", "imageStore", "publish", "ingressPorts", "showHome"] as const;
const clocks = ["system", "virtual"] as const;
const imageSources = ["auto", "registry", "machine"] as const;
const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;
/** Of one entry. */
const mostNodes = 1000;

/** @throws Error with everything that is wrong, by field path */
export function describedCluster(document: unknown): DescribedCluster {
	const causes: Cause[] = [];
	const root = new Field(document, causes);
	root.expectType([apiVersion], kind);
	root.knows(["apiVersion", "kind", "nodes", ...optionNames]);
	const cluster = { options: optionsOf(root), nodes: root.field("nodes").list().flatMap(nodesOf) };
	const names = new Set<string>();
	for (const { name } of cluster.nodes) {
		if (names.has(name)) root.wrong(duplicate("nodes", name));
		names.add(name);
	}
	if (causes.length > 0) throw new Error(causesText(causes));
	return cluster;
}

function optionsOf(root: ConfigField): DescribedCluster["options"] {
	const runtime = oneOf(root.field("runtime"), runtimes);
	const clock = oneOf(root.field("clock"), clocks);
	const images = oneOf(root.field("images"), imageSources);
	const imageStore = root.field("imageStore").text();
	const publish = parsedBy(root.field("publish"), parsePublish);
	const ingressPorts = parsedBy(root.field("ingressPorts"), parseIngressPorts);
	const showHome = root.field("showHome").truth();
	return {
		...(runtime !== undefined && { runtime }),
		...(clock !== undefined && { clock }),
		...(images !== undefined && { images }),
		...(imageStore !== "" && { imageStore }),
		...(publish !== undefined && { publish }),
		...(ingressPorts !== undefined && { ingressPorts }),
		...(showHome !== undefined && { showHome }),
	};
}

function oneOf<T extends string>(field: ConfigField, supported: readonly T[]): T | undefined {
	if (field.isAbsent) return undefined;
	const found = supported.find((one) => one === field.value);
	if (found === undefined) field.wrong(notSupported(field.path, field.value, supported));
	return found;
}

/** @param parse of the option of the same name */
function parsedBy<T>(field: ConfigField, parse: (text: string) => T): T | undefined {
	const text = field.text();
	if (text === "") return undefined;
	try {
		return parse(text);
	} catch (error) {
		field.wrong(invalidValue(field.path, text, messageOf(error)));
		return undefined;
	}
}

/** An entry is one node, or `count` nodes with numbers after the name: `worker-1`, `worker-2`. */
function nodesOf(entry: ConfigField): DescribedNode[] {
	entry.knows(["name", "count", "labels", "taints"]);
	const nameField = entry.field("name");
	const name = nameField.text();
	if (name === "") nameField.wrong(required(nameField.path));
	else nameField.wrong(...invalidEach(nameField.path, name, dnsLabelProblems(name)));
	const countField = entry.field("count");
	const count = countField.whole(1);
	if (count !== undefined && count > mostNodes) {
		countField.wrong(invalidValue(countField.path, count, `must be ${mostNodes} or less`));
		return [];
	}
	const common = { labels: labelsOf(entry.field("labels")), taints: entry.field("taints").list().map(taintOf) };
	if (count === undefined) return [{ name, ...common }];
	return Array.from({ length: count }, (_, index) => ({ name: `${name}-${index + 1}`, ...common }));
}

function labelsOf(field: ConfigField): Record<string, string> {
	field.knows(field.names());
	const labels = Object.fromEntries(field.names().map((key) => [key, field.field(key).text()]));
	field.wrong(...labelCauses(labels, field.path));
	return labels;
}

function taintOf(field: ConfigField): Taint {
	field.knows(["key", "value", "effect"]);
	const key = field.field("key");
	const value = field.field("value");
	const effect = field.field("effect");
	if (key.text() === "") key.wrong(required(key.path));
	else key.wrong(...invalidEach(key.path, key.value, qualifiedNameProblems(key.text())));
	value.wrong(...invalidEach(value.path, value.value, labelValueProblems(value.text())));
	if (effect.isAbsent) effect.wrong(required(effect.path));
	return {
		key: key.text(),
		effect: oneOf(effect, effects) ?? "",
		...(!value.isAbsent && { value: value.text() }),
	};
}
