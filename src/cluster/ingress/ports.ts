/** The ports of the machine at which Ingresses are served. */
export interface IngressPorts {
	http: number;
	https: number;
}

/** Open to everybody, unlike 80 and 443, and usual for proxies. */
export const defaultIngressPorts: IngressPorts = { http: 8080, https: 8443 };

const mostPort = 65_535;

/**
 * @param text `HTTP,HTTPS`
 * @throws Error with what was found and wanted
 */
export function parseIngressPorts(text: string): IngressPorts {
	const [http, https, ...rest] = text.split(",").map(Number);
	if (!isPort(http) || !isPort(https) || http === https || rest.length > 0)
		throw new Error(`'${text}' is not two ports: wanted HTTP,HTTPS, such as 80,443`);
	return { http, https };
}

function isPort(port: number | undefined): port is number {
	return port !== undefined && Number.isInteger(port) && port > 0 && port <= mostPort;
}
