/** Environment variables for the services of a namespace (API page "Service", "Discovering services"). Pure. */
import type { Service } from "../../../kinds/generated/types.ts";

export interface Variable {
	name: string;
	value: string;
}

/**
 * @param services of the pod's namespace; used only with `links`
 * @param kubernetes the API server's own Service, always included
 */
export function serviceEnvironment(
	services: Iterable<Service>,
	kubernetes: Service | undefined,
	links: boolean,
): Map<string, Variable> {
	const environment = new Map<string, Variable>();
	const told = [...(links ? services : [])].filter((service) => service.metadata.uid !== kubernetes?.metadata.uid);
	told.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
	for (const service of kubernetes === undefined ? told : [kubernetes, ...told])
		for (const variable of variablesOf(service)) environment.set(variable.name, variable);
	return environment;
}

/** Computed once per Service, for all containers. */
const known = new WeakMap<Service, readonly Variable[]>();

function variablesOf(service: Service): readonly Variable[] {
	let variables = known.get(service);
	if (variables === undefined) {
		variables = variablesFor(service);
		known.set(service, variables);
	}
	return variables;
}

function variablesFor(service: Service): Variable[] {
	const { clusterIP, ports = [] } = service.spec ?? {};
	const [first] = ports;
	if (clusterIP === undefined || clusterIP === "" || clusterIP === "None" || first === undefined) return [];
	const variables: Variable[] = [];
	const tell = (name: string, value: string) => variables.push({ name: `${prefix}_${name}`, value });
	const prefix = variableName(service.metadata.name);
	tell("SERVICE_HOST", clusterIP);
	tell("SERVICE_PORT", String(first.port));
	for (const { name, port } of ports) {
		if (name !== undefined && name !== "") tell(`SERVICE_PORT_${variableName(name)}`, String(port));
	}
	const host = clusterIP.includes(":") ? `[${clusterIP}]` : clusterIP;
	// The variables of Docker links.
	const url = ({ protocol = "TCP", port }: { protocol?: string; port: number }) =>
		`${protocol.toLowerCase()}://${host}:${port}`;
	tell("PORT", url(first));
	for (const each of ports) {
		const protocol = each.protocol ?? "TCP";
		const base = `PORT_${each.port}_${protocol}`;
		tell(base, url(each));
		tell(`${base}_PROTO`, protocol.toLowerCase());
		tell(`${base}_PORT`, String(each.port));
		tell(`${base}_ADDR`, clusterIP);
	}
	return variables;
}

function variableName(name: string): string {
	return name.toUpperCase().replaceAll("-", "_").replaceAll(".", "_");
}
