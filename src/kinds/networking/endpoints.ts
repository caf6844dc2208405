import type { Cause } from "../../core/errors.ts";
import { ipAddress, portNumber, requiredOneOf } from "../../core/validation/field-checks.ts";
import { required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Endpoints } from "../generated/types.ts";

const shown = 3;

export const endpoints: Kind<Endpoints> = {
	group: "",
	version: "v1",
	kind: "Endpoints",
	plural: "endpoints",
	singular: "endpoints",
	shortNames: ["ep"],
	categories: [],
	namespaced: true,
	schema: "Endpoints",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [nameColumn, column("Endpoints", "Addresses and ports behind the service.", endpointsText), ageColumn],

	setDefaults({ subsets }) {
		for (const subset of subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= "TCP";
	},
	validate({ subsets }) {
		const causes: Cause[] = [];
		for (const [index, subset] of (subsets ?? []).entries()) {
			const at = `subsets[${index}]`;
			const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
			if (addresses.length + notReadyAddresses.length === 0)
				causes.push(required(at, "must specify `addresses` or `notReadyAddresses`"));
			for (const [position, { ip }] of addresses.entries())
				causes.push(...ipAddress(ip, `${at}.addresses[${position}].ip`));
			for (const [position, { ip }] of notReadyAddresses.entries())
				causes.push(...ipAddress(ip, `${at}.notReadyAddresses[${position}].ip`));
			for (const [position, { name, port, protocol }] of ports.entries()) {
				const item = `${at}.ports[${position}]`;
				if (ports.length > 1 && !name) causes.push(required(`${item}.name`));
				causes.push(...portNumber(port, `${item}.port`));
				causes.push(...requiredOneOf(protocol, ["SCTP", "TCP", "UDP"], `${item}.protocol`));
			}
		}
		return causes;
	},
	deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
};

function endpointsText({ subsets }: Endpoints): string {
	const list: string[] = [];
	for (const { addresses = [], ports } of subsets ?? []) {
		if (ports === undefined) list.push(...addresses.map(({ ip }) => ip));
		else for (const { port } of ports) list.push(...addresses.map(({ ip }) => hostPort(ip, port)));
	}
	if (list.length === 0) return "<none>";
	const text = list.slice(0, shown).join(",");
	return list.length > shown ? `${text} + ${list.length - shown} more...` : text;
}

function hostPort(ip: string, port: number): string {
	return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
