/** EndpointSlices for manually written Endpoints of services without a selector (KEP-0752). */
import { objectKey, parseKey } from "../../core/object.ts";
import type { EndpointSlice } from "../../kinds/generated/types.ts";
import { endpoints } from "../../kinds/networking/endpoints.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import { managedByLabel, serviceNameLabel } from "../endpointslice/plan.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { type MirroringState, managedBy, plan } from "./plan.ts";

export const endpointSliceMirroringController: Controller<MirroringState> = {
	name: "endpointslicemirroring",
	component: "endpoint-slice-mirroring-controller",
	account: "endpointslicemirroring-controller",
	watches: [
		watchRule(
			endpoints,
			(current, old) => [current ?? old].flatMap((one) => (one === undefined ? [] : [objectKey(one)])),
			{
				expectations: false,
			},
		),
		watchRule(
			services,
			(current, old) => [current ?? old].flatMap((one) => (one === undefined ? [] : [objectKey(one)])),
			{
				expectations: false,
			},
		),
		watchRule(endpointSlices, (current, old) => keysOf(current ?? old), { indexes: { mirrored: keysOf } }),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const original = informers.of(endpoints).get(namespace, name);
		const service = informers.of(services).get(namespace, name);
		const slices = [...informers.of(endpointSlices).byIndex("mirrored", key)].filter(
			(slice) => slice.metadata.deletionTimestamp === undefined,
		);
		if (original === undefined && slices.length === 0) return undefined;
		return { original, service, slices };
	},
	plan,
};

/** For slices that this controller manages: the Endpoints that they mirror. */
function keysOf(slice: EndpointSlice | undefined): string[] {
	const labels = slice?.metadata.labels;
	const name = labels?.[serviceNameLabel];
	if (name === undefined || labels?.[managedByLabel] !== managedBy) return [];
	return [`${slice?.metadata.namespace}/${name}`];
}
