/** All built-in objects. */
import { standardStorageClass } from "../../controllers/volumes/standard-class.ts";
import { formatCidr, parseCidr } from "../../core/addresses.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { priorityClasses } from "../../kinds/core/priorityclass.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import { services } from "../../kinds/networking/service.ts";
import { serviceCIDRs } from "../../kinds/networking/servicecidr.ts";
import { storageClasses } from "../../kinds/storage/storageclass.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";
import { builtInApiServices } from "./api-services.ts";
import { type BuiltIn, builtIn } from "./built-in.ts";
import { builtInFlowControl } from "./flow-control.ts";
import { builtInRoles } from "./roles.ts";
import { apiServerService, dnsService, stateMetricsService } from "./services.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
const systemPriorities = [
	{
		name: "system-cluster-critical",
		value: 2_000_000_000,
		description: "For pods the cluster needs, on whatever node.",
	},
	{
		name: "system-node-critical",
		value: 2_000_001_000,
		description: "For pods the cluster needs on the very node they run on.",
	},
];

/** Whether it can be created before the API is served: only the verbs allocate addresses. */
export function needsNoAddress({ kind }: BuiltIn): boolean {
	return kind.plural !== services.plural && kind.plural !== serviceCIDRs.plural;
}

export interface BuiltInSettings {
	network: Pick<ClusterNetwork, "serviceCidr">;
	/** Whether nodes serve DNS, and kube-state-metrics. */
	hasDns: boolean;
	/** Whether a controller binds claims. Without it there is no class for them either, as in a bare API server. */
	bindsClaims: boolean;
	/** Names of service accounts in kube-system. */
	accounts: readonly string[];
}

export function builtIns({ network, hasDns, bindsClaims, accounts }: BuiltInSettings): BuiltIn[] {
	return [
		...systemNamespaces.map((name) => builtIn(namespaces, { metadata: { name }, spec: {} })),
		...builtInRoles,
		...accounts.map((name) => builtIn(serviceAccounts, { metadata: { name, namespace: "kube-system" } })),
		...systemPriorities.map(({ name, ...rest }) => builtIn(priorityClasses, { metadata: { name }, ...rest })),
		...(bindsClaims ? [builtIn(storageClasses, standardStorageClass)] : []),
		builtIn(serviceCIDRs, { metadata: { name: "kubernetes" }, spec: { cidrs: [canonical(network.serviceCidr)] } }),
		...builtInFlowControl,
		...builtInApiServices(),
		...apiServerService(network),
		...(hasDns ? [...dnsService(network), ...stateMetricsService(network)] : []),
	];
}

/** Without bits behind the prefix, which a ServiceCIDR may not have. */
function canonical(range: string): string {
	const cidr = parseCidr(range);
	return cidr === undefined ? range : formatCidr(cidr);
}
