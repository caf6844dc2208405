import type { Cause } from "../../core/errors.ts";
import { lookup } from "../../core/object.ts";
import { compareQuantities } from "../../core/quantity.ts";
import { forbidden, invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { createdAtColumn, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { LimitRange, LimitRangeItem } from "../generated/types.ts";

export const limitRanges: Kind<LimitRange> = {
	group: "",
	version: "v1",
	kind: "LimitRange",
	plural: "limitranges",
	singular: "limitrange",
	shortNames: ["limits"],
	categories: [],
	namespaced: true,
	schema: "LimitRange",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [nameColumn, createdAtColumn],

	setDefaults({ spec }) {
		for (const item of spec?.limits ?? []) {
			if (item.type !== "Container") continue;
			// The default limit defaults to the maximum; the default request to the default limit, or the minimum.
			if (item.max !== undefined) item.default = { ...item.max, ...item.default };
			if (item.default !== undefined || item.min !== undefined)
				item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
		}
	},
	validate: ({ spec }) => (spec?.limits ?? []).flatMap((item, index) => limit(item, `spec.limits[${index}]`)),
};

const standardTypes = new Set(["Pod", "Container", "PersistentVolumeClaim"]);

function limit(item: LimitRangeItem, path: string): Cause[] {
	const causes: Cause[] = [];
	if (!item.type) causes.push(required(`${path}.type`));
	else {
		const problems = qualifiedNameProblems(item.type);
		const isKnown = item.type.includes("/") || standardTypes.has(item.type);
		causes.push(...invalidEach(`${path}.type`, item.type, problems));
		if (problems.length === 0 && !isKnown)
			causes.push(invalidValue(`${path}.type`, item.type, "must be a standard limit type or fully qualified"));
	}
	if (item.type === "Pod")
		for (const field of ["default", "defaultRequest"] as const)
			if (item[field] !== undefined)
				causes.push(forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
	if (item.type === "PersistentVolumeClaim" && !item.min?.["storage"] && !item.max?.["storage"])
		causes.push(
			required(`${path}.limits`, "either minimum or maximum storage value is required, but neither was provided"),
		);
	const ordered = ["min", "defaultRequest", "default", "max"] as const;
	for (const [position, low] of ordered.entries())
		for (const high of ordered.slice(position + 1)) {
			const bounds = lookup(item[high] ?? {});
			for (const [name, quantity] of Object.entries(item[low] ?? {})) {
				const bound = bounds[name];
				if (bound === undefined || compareQuantities(quantity, bound) <= 0) continue;
				causes.push(
					invalidValue(
						`${path}.${low}[${name}]`,
						quantity,
						`${low} value ${quantity} is greater than ${high} value ${bound}`,
					),
				);
			}
		}
	for (const [name, ratio] of Object.entries(item.maxLimitRequestRatio ?? {}))
		if (compareQuantities(ratio, "1") < 0)
			causes.push(invalidValue(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`));
	return causes;
}
