import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { nonNegative, requiredText } from "../../core/validation/field-checks.ts";
import { duplicate, invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CSINode, CSINodeDriver } from "../generated/types.ts";
import { driverName } from "./driver-name.ts";

export const csiNodes: Kind<CSINode> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "CSINode",
	plural: "csinodes",
	singular: "csinode",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "CSINode",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Drivers", "Number of drivers on the node.", ({ spec }) => spec?.drivers?.length ?? 0, "integer"),
		ageColumn,
	],

	validate({ spec }, old) {
		const causes: Cause[] = [];
		const seen = new Set<string>();
		const longest = old?.spec?.drivers?.some(({ nodeID }) => nodeID.length > longestNodeId)
			? longestOldNodeId
			: longestNodeId;
		for (const [index, driver] of (spec?.drivers ?? []).entries()) {
			const at = `spec.drivers[${index}]`;
			causes.push(...driverProblems(driver, at, longest));
			if (seen.has(driver.name)) causes.push(duplicate(`${at}.name`, driver.name));
			seen.add(driver.name);
		}
		return causes;
	},
	/** How many volumes a driver can attach may change. */
	validateUpdate({ spec }, old) {
		const fixed = ({ allocatable: _, ...rest }: CSINodeDriver) => rest;
		return (spec?.drivers ?? []).flatMap((driver) => {
			const before = old.spec?.drivers?.filter(({ name }) => name === driver.name) ?? [];
			const isSame = before.length === 0 || before.some((one) => semanticEqual(fixed(one), fixed(driver)));
			return isSame ? [] : [invalidValue("spec.drivers", driver, "field is immutable")];
		});
	},
};

const longestNodeId = 192;
/** Where an older one is longer already. */
const longestOldNodeId = 256;

function driverProblems(driver: CSINodeDriver, path: string, longest: number): Cause[] {
	const { name, nodeID = "", topologyKeys = [], allocatable } = driver;
	const causes = [...driverName(name, `${path}.name`), ...requiredText(nodeID, `${path}.nodeID`)];
	if (nodeID.length > longest)
		causes.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${longest} characters or less`));
	causes.push(...nonNegative(allocatable?.count, `${path}.allocatable.count`));
	for (const [index, key] of topologyKeys.entries()) {
		if (key === "") causes.push(required(path));
		if (topologyKeys.indexOf(key) < index) causes.push(duplicate(path, key));
		causes.push(...invalidEach(path, key, qualifiedNameProblems(key)));
	}
	return causes;
}
