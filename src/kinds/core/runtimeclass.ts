import { immutable, labels, nonNegativeQuantity } from "../../core/validation/field-checks.ts";
import { invalidEach } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { RuntimeClass } from "../generated/types.ts";
import { resourceNameProblems } from "../pod/spec/resource-requirements.ts";
import { validateTolerations } from "../pod/spec/scheduling.ts";

export const runtimeClasses: Kind<RuntimeClass> = {
	group: "node.k8s.io",
	version: "v1",
	kind: "RuntimeClass",
	plural: "runtimeclasses",
	singular: "runtimeclass",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "RuntimeClass",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [nameColumn, column("Handler", "Configuration of the runtime.", ({ handler }) => handler), ageColumn],

	validate: ({ handler, overhead, scheduling }) => [
		...invalidEach("handler", handler, dnsLabelProblems(handler ?? "")),
		...Object.entries(overhead?.podFixed ?? {}).flatMap(([name, amount]) => {
			const path = `overhead.podFixed[${name}]`;
			return [...resourceNameProblems(name, "container", path), ...nonNegativeQuantity(amount, path)];
		}),
		...labels(scheduling?.nodeSelector, "scheduling.nodeSelector"),
		...validateTolerations(scheduling?.tolerations, "scheduling.tolerations"),
	],
	validateUpdate: (next, old) => immutable(next.handler, old.handler, "handler"),
};
