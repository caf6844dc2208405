import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { compareQuantities } from "../../core/quantity.ts";
import {
	atMostAll,
	isZero,
	nonNegative,
	notDecremented,
	numberOrPercent,
	requiredOneOf,
} from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems } from "../../core/validation/names.ts";
import { oldStatefulSets } from "../conversion/workloads.ts";
import { ageColumn, column, nameColumn, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { PersistentVolumeClaim, StatefulSet, StatefulSetSpec } from "../generated/types.ts";
import { validateRunningTemplate, validateWorkloadSelector } from "../pod/pod-template.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";
import { growAnnotation, isAsked } from "../self-help/annotations.ts";

const updatable = [
	"replicas",
	"ordinals",
	"template",
	"updateStrategy",
	"revisionHistoryLimit",
	"persistentVolumeClaimRetentionPolicy",
	"minReadySeconds",
];

export const statefulSets: Kind<StatefulSet> = {
	group: "apps",
	version: "v1",
	kind: "StatefulSet",
	plural: "statefulsets",
	singular: "statefulset",
	shortNames: ["sts"],
	categories: ["all"],
	namespaced: true,
	schema: "StatefulSet",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	// Names of its pods begin with it, and their host names are single labels.
	nameRule: "dnsLabel",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Ready", "Pods that are ready, and pods wanted.", ({ spec, status }) => {
			return `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`;
		}),
		ageColumn,
		...templateColumns<StatefulSet>(({ spec }) => spec.template),
	],

	setDefaults({ spec }) {
		spec.podManagementPolicy ||= "OrderedReady";
		spec.updateStrategy ??= {};
		if (!spec.updateStrategy.type) {
			spec.updateStrategy.type = "RollingUpdate";
			spec.updateStrategy.rollingUpdate ??= {};
		}
		if (spec.updateStrategy.type === "RollingUpdate" && spec.updateStrategy.rollingUpdate !== undefined)
			spec.updateStrategy.rollingUpdate.partition ??= 0;
		spec.persistentVolumeClaimRetentionPolicy ??= {};
		spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
		spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
		spec.replicas ??= 1;
		spec.revisionHistoryLimit ??= 10;
		for (const claim of spec.volumeClaimTemplates ?? []) {
			claim.apiVersion ??= "v1";
			claim.kind ??= "PersistentVolumeClaim";
			claim.spec ??= {};
			claim.spec.volumeMode ??= "Filesystem";
			claim.status ??= {};
			claim.status.phase ??= "Pending";
		}
		setPodTemplateDefaults(spec);
	},
	prepareForCreate(set) {
		set.status = { replicas: 0 };
	},
	prepareForUpdate(set, old) {
		set.status = old.status ?? { replicas: 0 };
	},
	validate: ({ spec }) => [
		...podManagementPolicy(spec),
		...updateStrategy(spec),
		...retention(spec),
		...nonNegative(spec.replicas, "spec.replicas"),
		...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
		...nonNegative(spec.ordinals?.start, "spec.ordinals.start"),
		...(spec.serviceName ? invalidEach("spec.serviceName", spec.serviceName, dnsLabelProblems(spec.serviceName)) : []),
		...validateWorkloadSelector(spec.selector, "statefulset", "spec.selector"),
		...validateRunningTemplate(withClaims(spec), spec.selector, "StatefulSet", "spec.template"),
	],
	validateUpdate(set, old) {
		const { spec } = set;
		const growth = isAsked(set, growAnnotation) ? claimGrowth(spec, old.spec) : undefined;
		const free = growth === undefined ? updatable : [...updatable, "volumeClaimTemplates"];
		const fixed = (of: StatefulSetSpec) =>
			Object.fromEntries(Object.entries(of).filter(([field]) => !free.includes(field)));
		if (semanticEqual(fixed(spec), fixed(old.spec))) return growth ?? [];
		const list = updatable.map((field) => `'${field}'`);
		const names = `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
		return [forbidden("spec", `updates to statefulset spec for fields other than ${names} are forbidden`)];
	},
	validateStatusUpdate({ status }, old) {
		const causes: Cause[] = [];
		if (status === undefined) return causes;
		causes.push(...nonNegative(status.observedGeneration, "status.observedGeneration"));
		causes.push(...notDecremented(status.collisionCount, old.status?.collisionCount, "status.collisionCount"));
		const counts = ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"] as const;
		for (const count of counts) causes.push(...nonNegative(status[count], `status.${count}`));
		for (const count of ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"] as const)
			if ((status[count] ?? 0) > (status.replicas ?? 0))
				causes.push(invalidValue(`status.${count}`, status[count], "cannot be greater than status.replicas"));
		if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0))
			causes.push(
				invalidValue(
					"status.availableReplicas",
					status.availableReplicas,
					"cannot be greater than status.readyReplicas",
				),
			);
		return causes;
	},
	warnings({ spec }) {
		const warnings = podSpecWarnings(spec.template?.spec, "spec.template.spec");
		if ((spec.revisionHistoryLimit ?? 0) < 0)
			warnings.push(
				"spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
			);
		return warnings;
	},
	servedAs: oldStatefulSets,
};

/**
 * The template of its pods, with the claims as volumes: containers may mount claims by the names of their templates.
 */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): StatefulSetSpec["template"] {
	if (template?.spec === undefined || volumeClaimTemplates.length === 0) return template;
	const claims = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ""));
	const volumes = (template.spec.volumes ?? []).filter(({ name }) => !claims.has(name));
	for (const name of claims) if (name !== "") volumes.push({ name, persistentVolumeClaim: { claimName: name } });
	return { ...template, spec: { ...template.spec, volumes } };
}

/** The problem if the claim templates differ only in the requested storage; undefined if they differ otherwise. */
function claimGrowth(next: StatefulSetSpec, old: StatefulSetSpec): Cause[] | undefined {
	const [templates, before] = [next.volumeClaimTemplates ?? [], old.volumeClaimTemplates ?? []];
	if (!semanticEqual(templates.map(withoutStorage), before.map(withoutStorage))) return undefined;
	return templates.flatMap(({ spec }, index) => {
		const [size, oldSize] = [spec, before[index]?.spec].map((of) => of?.resources?.requests?.["storage"] ?? "0");
		if (size === undefined || oldSize === undefined || compareQuantities(size, oldSize) >= 0) return [];
		const at = `spec.volumeClaimTemplates[${index}].spec.resources.requests.storage`;
		return forbidden(at, `field can not be less than before (${oldSize}): claims can only grow`);
	});
}

function withoutStorage(template: PersistentVolumeClaim): unknown {
	const { storage: _storage, ...requests } = template.spec?.resources?.requests ?? {};
	return { ...template, spec: { ...template.spec, resources: { ...template.spec?.resources, requests } } };
}

function podManagementPolicy({ podManagementPolicy: policy }: StatefulSetSpec): Cause[] {
	const at = "spec.podManagementPolicy";
	if (!policy) return [required(at)];
	if (policy === "OrderedReady" || policy === "Parallel") return [];
	return [invalidValue(at, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function updateStrategy({ updateStrategy = {} }: StatefulSetSpec): Cause[] {
	const { type, rollingUpdate } = updateStrategy;
	const at = "spec.updateStrategy";
	if (!type) return [required(at)];
	if (type === "OnDelete") {
		if (rollingUpdate === undefined) return [];
		return [invalidValue(`${at}.rollingUpdate`, rollingUpdate, `only allowed for updateStrategy 'RollingUpdate'`)];
	}
	if (type !== "RollingUpdate") return [invalidValue(at, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")];
	const { partition, maxUnavailable } = rollingUpdate ?? {};
	const causes = nonNegative(partition, `${at}.rollingUpdate.partition`);
	if (maxUnavailable === undefined) return causes;
	const path = `${at}.rollingUpdate.maxUnavailable`;
	causes.push(...numberOrPercent(maxUnavailable, path), ...atMostAll(maxUnavailable, path));
	if (isZero(maxUnavailable)) causes.push(invalidValue(path, maxUnavailable, "cannot be 0"));
	return causes;
}

function retention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): Cause[] {
	const at = "spec.persistentVolumeClaimRetentionPolicy";
	return [
		...requiredOneOf(policy?.whenDeleted, ["Delete", "Retain"], `${at}.whenDeleted`),
		...requiredOneOf(policy?.whenScaled, ["Delete", "Retain"], `${at}.whenScaled`),
	];
}
