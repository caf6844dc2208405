/** Environment variables for the services of a namespace (API page "Service", "Discovering services"). Pure. */
import type { Service } from "../kinds/generated/types.ts";

/**
 * @param services of the pod's namespace; nothing of them is used without `links`
 * @param kubernetes the API server's own service, always told
 */
export function serviceEnvironment(
	services: Iterable<Service>,
	kubernetes: Service | undefined,
	links: boolean,
): Map<string, string> {
	const environment = new Map<string, string>();
	const told = [...(links ? services : [])].filter((service) => service.metadata.uid !== kubernetes?.metadata.uid);
	told.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
	for (const service of kubernetes === undefined ? told : [kubernetes, ...told]) tell(service, environment);
	return environment;
}

function tell(service: Service, environment: Map<string, string>): void {
	const { clusterIP, ports = [] } = service.spec ?? {};
	const [first] = ports;
	if (clusterIP === undefined || clusterIP === "" || clusterIP === "None" || first === undefined) return;
	const prefix = variableName(service.metadata.name);
	environment.set(`${prefix}_SERVICE_HOST`, clusterIP);
	environment.set(`${prefix}_SERVICE_PORT`, String(first.port));
	for (const { name, port } of ports) {
		if (name !== undefined && name !== "")
			environment.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
	}
	const host = clusterIP.includes(":") ? `[${clusterIP}]` : clusterIP;
	// The variables that Docker's links had.
	const url = ({ protocol = "TCP", port }: { protocol?: string; port: number }) =>
		`${protocol.toLowerCase()}://${host}:${port}`;
	environment.set(`${prefix}_PORT`, url(first));
	for (const each of ports) {
		const protocol = each.protocol ?? "TCP";
		const base = `${prefix}_PORT_${each.port}_${protocol}`;
		environment.set(base, url(each));
		environment.set(`${base}_PROTO`, protocol.toLowerCase());
		environment.set(`${base}_PORT`, String(each.port));
		environment.set(`${base}_ADDR`, clusterIP);
	}
}

function variableName(name: string): string {
	return name.toUpperCase().replaceAll("-", "_").replaceAll(".", "_");
}
