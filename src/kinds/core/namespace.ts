import { invalidEach, invalidValue } from "../../core/validation/field-errors.ts";
import { finalizerDomainProblems, qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Namespace } from "../generated/types.ts";

/** Label that selectors use to find a namespace by its name. */
const namespaceNameLabel = "kubernetes.io/metadata.name";
/** Keeps a namespace until it is empty. */
export const namespaceFinalizer = "kubernetes";

export const namespaces: Kind<Namespace> = {
	group: "",
	version: "v1",
	kind: "Namespace",
	plural: "namespaces",
	singular: "namespace",
	shortNames: ["ns"],
	categories: [],
	namespaced: false,
	schema: "Namespace",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsLabel",
	deletedOneByOne: true,
	selectableFields: [{ path: "status.phase", value: ({ status }) => status?.phase ?? "" }],
	columns: [
		nameColumn,
		column("Status", "Whether the namespace is in use or being deleted.", ({ status }) => status?.phase ?? ""),
		ageColumn,
	],

	setDefaults(namespace) {
		namespace.spec ??= {};
		labelWithName(namespace);
	},
	prepareForCreate(namespace) {
		// A generated name is set after the defaults.
		labelWithName(namespace);
		namespace.status = { phase: "Active" };
		const finalizers = namespace.spec.finalizers ?? [];
		if (!finalizers.includes(namespaceFinalizer)) namespace.spec.finalizers = [...finalizers, namespaceFinalizer];
	},
	prepareForUpdate(namespace, old) {
		// These finalizers only change through the finalize subresource.
		if (old.spec?.finalizers === undefined) delete namespace.spec.finalizers;
		else namespace.spec.finalizers = old.spec.finalizers;
		namespace.status = old.status ?? {};
	},
	validate: ({ spec }) =>
		(spec.finalizers ?? []).flatMap((finalizer) => [
			...invalidEach("spec.finalizers", finalizer, qualifiedNameProblems(finalizer)),
			...invalidEach("spec.finalizers", finalizer, finalizerDomainProblems(finalizer)),
		]),
	isHeld: ({ spec }) => (spec?.finalizers ?? []).length > 0,
	markDeleted(namespace) {
		namespace.status = { ...namespace.status, phase: "Terminating" };
	},
	validateStatusUpdate({ metadata, status }) {
		const phase = status?.phase;
		if (metadata.deletionTimestamp === undefined && phase !== "Active")
			return [invalidValue("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")];
		if (metadata.deletionTimestamp !== undefined && phase !== "Terminating")
			return [invalidValue("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
		return [];
	},
};

function labelWithName({ metadata }: Namespace): void {
	if (metadata.name) metadata.labels = { ...metadata.labels, [namespaceNameLabel]: metadata.name };
}
