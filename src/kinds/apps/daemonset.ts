import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import {
	atMostAll,
	immutable,
	isZero,
	nonNegative,
	notDecremented,
	numberOrPercent,
} from "../../core/validation/field-checks.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { oldDaemonSets } from "../conversion/workloads.ts";
import { ageColumn, column, labelsText, nameColumn, selectorText, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { DaemonSet, DaemonSetStatus, DaemonSetUpdateStrategy } from "../generated/types.ts";
import { validateRunningTemplate, validateWorkloadSelector } from "../pod/pod-template.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";

const emptyStatus: DaemonSetStatus = {
	currentNumberScheduled: 0,
	desiredNumberScheduled: 0,
	numberMisscheduled: 0,
	numberReady: 0,
};

export const daemonSets: Kind<DaemonSet> = {
	group: "apps",
	version: "v1",
	kind: "DaemonSet",
	plural: "daemonsets",
	singular: "daemonset",
	shortNames: ["ds"],
	categories: ["all"],
	namespaced: true,
	schema: "DaemonSet",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Desired", "Nodes that should run the pod.", ({ status }) => status?.desiredNumberScheduled ?? 0, "integer"),
		column("Current", "Nodes that run the pod.", ({ status }) => status?.currentNumberScheduled ?? 0, "integer"),
		column("Ready", "Nodes whose pod is ready.", ({ status }) => status?.numberReady ?? 0, "integer"),
		column(
			"Up-to-date",
			"Nodes whose pod is of the current template.",
			({ status }) => status?.updatedNumberScheduled ?? 0,
			"integer",
		),
		column(
			"Available",
			"Nodes whose pod has been ready for long enough.",
			({ status }) => status?.numberAvailable ?? 0,
			"integer",
		),
		column("Node Selector", "Labels of the nodes that the pod needs.", ({ spec }) =>
			labelsText(spec.template?.spec?.nodeSelector),
		),
		ageColumn,
		...templateColumns<DaemonSet>(
			({ spec }) => spec.template,
			({ spec }) => selectorText(spec.selector),
		),
	],

	setDefaults({ spec }) {
		spec.updateStrategy ??= {};
		spec.updateStrategy.type ||= "RollingUpdate";
		if (spec.updateStrategy.type === "RollingUpdate") {
			spec.updateStrategy.rollingUpdate ??= {};
			spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
			spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
		}
		spec.revisionHistoryLimit ??= 10;
		setPodTemplateDefaults(spec);
	},
	prepareForCreate(set) {
		set.status = { ...emptyStatus };
		setTemplateGeneration(set, 1);
	},
	prepareForUpdate(set, old) {
		set.status = old.status ?? { ...emptyStatus };
		const generation = Number(old.metadata.annotations?.[templateGenerationAnnotation] ?? 1);
		const changed = !semanticEqual(set.spec.template, old.spec.template);
		setTemplateGeneration(set, changed ? generation + 1 : generation);
	},
	validate: ({ spec }) => [
		...validateWorkloadSelector(spec.selector, "daemonset", "spec.selector"),
		...validateRunningTemplate(spec.template, spec.selector, "DaemonSet", "spec.template"),
		...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
		...updateStrategy(spec.updateStrategy ?? {}),
		...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
	],
	validateUpdate: ({ spec }, old) => immutable(spec.selector, old.spec.selector, "spec.selector"),
	validateStatusUpdate({ status }, old) {
		const causes = notDecremented(status?.collisionCount, old.status?.collisionCount, "status.collisionCount");
		for (const [field, count] of Object.entries(status ?? {}))
			if (typeof count === "number") causes.push(...nonNegative(count, `status.${field}`));
		return causes;
	},
	warnings: ({ spec }) => podSpecWarnings(spec.template?.spec, "spec.template.spec"),
	servedAs: oldDaemonSets,
};

/** The number of template changes; clients may not set it. */
const templateGenerationAnnotation = "deprecated.daemonset.template.generation";

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
	metadata.annotations = { ...metadata.annotations, [templateGenerationAnnotation]: `${generation}` };
}

function updateStrategy({ type, rollingUpdate }: DaemonSetUpdateStrategy): Cause[] {
	if (type === "OnDelete") return [];
	if (type !== "RollingUpdate") return [notSupported("spec.updateStrategy.type", type, ["OnDelete", "RollingUpdate"])];
	const at = "spec.updateStrategy.rollingUpdate";
	if (rollingUpdate === undefined) return [required(at)];
	const { maxUnavailable, maxSurge } = rollingUpdate;
	const causes = [
		...numberOrPercent(maxUnavailable, `${at}.maxUnavailable`),
		...atMostAll(maxUnavailable, `${at}.maxUnavailable`),
		...numberOrPercent(maxSurge, `${at}.maxSurge`),
		...atMostAll(maxSurge, `${at}.maxSurge`),
	];
	if (!isZero(maxUnavailable) && !isZero(maxSurge))
		causes.push(invalidValue(`${at}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"));
	else if (isZero(maxUnavailable) && isZero(maxSurge))
		causes.push(required(`${at}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
	return causes;
}
