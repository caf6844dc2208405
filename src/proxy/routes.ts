/** Routes from one node to the pods of the others. Pure. */
import type { Node } from "../kinds/generated/types.ts";

export function routesFrom(nodes: Iterable<Node>, nodeName: string): { podCidr: string; via: string }[] {
	const routes: { podCidr: string; via: string }[] = [];
	for (const { metadata, spec, status } of nodes) {
		const via = status?.addresses?.find(
			({ type, address }) => type === "InternalIP" && !address.includes(":"),
		)?.address;
		const podCidr = spec?.podCIDR;
		if (metadata.name !== nodeName && via !== undefined && podCidr !== undefined && podCidr !== "")
			routes.push({ podCidr, via });
	}
	return routes.sort((a, b) => (a.podCidr < b.podCidr ? -1 : 1));
}
