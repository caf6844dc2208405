import { conditionOf, isTrue } from "../../core/conditions.ts";
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { cidr, requiredOneOf } from "../../core/validation/field-checks.ts";
import { duplicate, forbidden, invalidEach } from "../../core/validation/field-errors.ts";
import { labelValueProblems, qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Node, Taint } from "../generated/types.ts";
import { taintEffects } from "../pod/spec/scheduling.ts";

const rolePrefix = "node-role.kubernetes.io/";

export const nodes: Kind<Node> = {
	group: "",
	version: "v1",
	kind: "Node",
	plural: "nodes",
	singular: "node",
	shortNames: ["no"],
	categories: [],
	namespaced: false,
	schema: "Node",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [{ path: "spec.unschedulable", value: ({ spec }) => String(spec?.unschedulable ?? false) }],
	columns: [
		nameColumn,
		column("Status", "Whether the node is ready and takes pods.", statusText),
		column("Roles", "Roles that labels give the node.", rolesText),
		ageColumn,
		column("Version", "Version of the node's agent.", ({ status }) => status?.nodeInfo?.kubeletVersion ?? ""),
		wideColumn("Internal-IP", "Address inside the cluster.", (node) => address(node, "InternalIP")),
		wideColumn("External-IP", "Address outside the cluster.", (node) => address(node, "ExternalIP")),
		wideColumn("OS-Image", "Operating system.", ({ status }) => status?.nodeInfo?.osImage || "<unknown>"),
		wideColumn(
			"Kernel-Version",
			"Version of the kernel.",
			({ status }) => status?.nodeInfo?.kernelVersion || "<unknown>",
		),
		wideColumn("Container-Runtime", "Container runtime and its version.", ({ status }) => {
			return status?.nodeInfo?.containerRuntimeVersion || "<unknown>";
		}),
	],

	setDefaults(node) {
		node.spec ??= {};
		node.status ??= {};
		if (node.status.allocatable === undefined && node.status.capacity !== undefined)
			node.status.allocatable = { ...node.status.capacity };
		if (node.spec.podCIDR && node.spec.podCIDRs === undefined) node.spec.podCIDRs = [node.spec.podCIDR];
		else if (!node.spec.podCIDR && node.spec.podCIDRs?.[0] !== undefined) node.spec.podCIDR = node.spec.podCIDRs[0];
	},
	prepareForUpdate(node, old) {
		node.status = old.status ?? {};
	},
	validate: ({ spec }) => [
		...taints(spec?.taints, "spec.taints"),
		...(spec?.podCIDRs ?? []).flatMap((text, index) => cidr(text, `spec.podCIDRs[${index}]`)),
	],
	validateUpdate({ spec }, { spec: old }) {
		const causes: Cause[] = [];
		if ((old.podCIDRs ?? []).length > 0 && !semanticEqual(spec.podCIDRs, old.podCIDRs))
			causes.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
		if (old.providerID && spec.providerID !== old.providerID)
			causes.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
		return causes;
	},
};

function taints(list: readonly Taint[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	const seen = new Set<string>();
	for (const [index, { key, value, effect }] of (list ?? []).entries()) {
		const at = `${path}[${index}]`;
		causes.push(...invalidEach(`${at}.key`, key, qualifiedNameProblems(key)));
		causes.push(...invalidEach(`${at}.value`, value ?? "", labelValueProblems(value ?? "")));
		causes.push(...requiredOneOf(effect, taintEffects, `${at}.effect`));
		const identity = `${key}:${effect}`;
		if (seen.has(identity))
			causes.push({
				...duplicate(at, { key, effect }),
				message: "Duplicate value: taints must be unique by key and effect pair",
			});
		seen.add(identity);
	}
	return causes;
}

function statusText({ spec, status }: Node): string {
	const ready = conditionOf({ status }, "Ready");
	const text = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
	return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

function rolesText({ metadata }: Node): string {
	const roles = new Set<string>();
	for (const [key, value] of Object.entries(metadata.labels ?? {})) {
		if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
		else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
	}
	return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}

function address({ status }: Node, type: string): string {
	return status?.addresses?.find((candidate) => candidate.type === type)?.address ?? "<none>";
}

export function isNodeReady(node: Node | undefined): boolean {
	return isTrue(node, "Ready");
}
