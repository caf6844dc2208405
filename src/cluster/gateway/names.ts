import { Resolver } from "node:dns/promises";
import { isIPv4 } from "node:net";

const domain = "cluster.local";

/** @returns a function that finds addresses as pods of the namespace `default` do: `web`, `web.shop`, `example.org` */
export function clusterNames(dns: string): (name: string) => Promise<string | undefined> {
	const resolver = new Resolver({ timeout: 5000, tries: 2 });
	resolver.setServers([dns]);
	return async (name) => {
		if (isIPv4(name)) return name;
		const searched = [`default.svc.${domain}`, `svc.${domain}`, domain].map((suffix) => `${name}.${suffix}`);
		for (const full of name.endsWith(".") || name.endsWith(domain) ? [name] : [...searched, name]) {
			const [address] = await resolver.resolve4(full).catch(() => []);
			if (address !== undefined) return address;
		}
		return undefined;
	};
}
