/** EndpointSlices of services with a selector, for service proxies and DNS. */

import { parseKey } from "../../core/object.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { EndpointSlice, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { backendsOf, selectsPods, servicesOf } from "../endpoints/backends.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { type EndpointSliceState, managedBy, managedByLabel, plan, serviceNameLabel } from "./plan.ts";

export const endpointSliceController: Controller<EndpointSliceState> = {
	name: "endpointslice",
	component: "endpoint-slice-controller",
	account: "endpointslice-controller",
	watches: [
		watchRule(services, (current: Service | undefined) =>
			current === undefined ? [] : [`${current.metadata.namespace}/${current.metadata.name}`],
		),
		watchRule(pods, servicesOf, { expectations: false }),
		watchRule(endpointSlices, (current, old) => serviceKeys(current ?? old), {
			indexes: { service: serviceKeys },
		}),
		watchRule(nodes, () => [], { expectations: false }),
	],
	coalesceMs(key, informers) {
		let count = 0;
		for (const slice of informers.of(endpointSlices).byIndex("service", key)) count += slice.endpoints?.length ?? 0;
		return coalesceMsFor(count);
	},
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const service = informers.of(services).get(namespace, name);
		// Slices of a deleted service are garbage-collected.
		if (service === undefined || !selectsPods(service)) return undefined;
		const slices = [...informers.of(endpointSlices).byIndex("service", key)].filter(
			(slice) => slice.metadata.deletionTimestamp === undefined,
		);
		return { service, backends: backendsOf(service, informers), slices };
	},
	plan,
};

/** For slices that this controller manages: their service. */
function serviceKeys(slice: EndpointSlice | undefined): string[] {
	const labels = slice?.metadata.labels;
	const name = labels?.[serviceNameLabel];
	if (name === undefined || labels?.[managedByLabel] !== managedBy) return [];
	return [`${slice?.metadata.namespace}/${name}`];
}
