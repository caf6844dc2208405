/**
 * Maintains an IPAddress for each address of a Service, and removes those of deleted Services. A Service's address is
 * allocated when it is written (api/admission/service-addresses.ts); these objects represent it.
 */
import { objectKey, parseKey } from "../../core/object.ts";
import type { IPAddress, Service } from "../../kinds/generated/types.ts";
import { ipAddresses } from "../../kinds/networking/ipaddress.ts";
import { services } from "../../kinds/networking/service.ts";
import { create, remove } from "../runtime/actions.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";

const managedBy = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator";
const byService = "service";

interface State {
	namespace: string;
	name: string;
	/** The Service's addresses. */
	addresses: readonly string[];
	/** Objects that were created for it. */
	found: readonly IPAddress[];
	/** Addresses with an object, regardless of its owner. */
	taken: ReadonlySet<string>;
}

export const serviceAddressController: Controller<State> = {
	name: "service-address",
	component: "service-address-controller",
	watches: [
		watchRule(
			services,
			(current, old) => {
				const [now, before] = [addressesOf(current), addressesOf(old)];
				const service = current ?? old;
				return service === undefined || now.join() === before.join() ? [] : [objectKey(service)];
			},
			{ expectations: false },
		),
		watchRule(ipAddresses, (current, old) => keysOf(current ?? old), { indexes: { [byService]: keysOf } }),
	],
	gather(key, informers) {
		const { namespace = "", name } = parseKey(key);
		return stateOf(namespace, name, informers);
	},
	plan({ namespace, name, addresses, found, taken }) {
		const missing = addresses.filter((address) => !taken.has(address));
		const left = found.filter(({ metadata }) => !addresses.includes(metadata.name));
		return {
			actions: [
				...missing.map((address) =>
					create(
						ipAddresses,
						{
							metadata: {
								name: address,
								labels: {
									"ipaddress.kubernetes.io/ip-family": address.includes(":") ? "IPv6" : "IPv4",
									[managedBy]: manager,
								},
							},
							spec: { parentRef: { group: "", resource: "services", namespace, name } },
						},
						{ orExists: true },
					),
				),
				...left.map((address) => remove(ipAddresses, address)),
			],
		};
	},
};

function stateOf(namespace: string, name: string, informers: InformerCache): State {
	const service = informers.of(services).get(namespace, name);
	const addresses = addressesOf(service);
	const objects = informers.of(ipAddresses);
	return {
		namespace,
		name,
		addresses,
		found: [...objects.byIndex(byService, `${namespace}/${name}`)],
		taken: new Set(addresses.filter((address) => objects.get(undefined, address) !== undefined)),
	};
}

function addressesOf(service: Service | undefined): readonly string[] {
	return (service?.spec.clusterIPs ?? []).filter((address) => address !== "" && address !== "None");
}

/** The Service that an object was created for; undefined if a user created it. */
function keysOf(address: IPAddress | undefined): string[] {
	if (address?.metadata.labels?.[managedBy] !== manager) return [];
	const { namespace, name, resource } = address.spec.parentRef;
	return resource === "services" && namespace !== undefined ? [`${namespace}/${name}`] : [];
}
