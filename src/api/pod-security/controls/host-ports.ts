import type { Check, Control } from "./control.ts";
import { containersNamed, distinct, plural } from "./wording.ts";

const check: Check = ({ containers }) => {
	const names: string[] = [];
	const taken: string[] = [];
	for (const { name, ports = [] } of containers) {
		const hostPorts = ports.flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]));
		if (hostPorts.length === 0) continue;
		names.push(name);
		taken.push(...hostPorts);
	}
	if (names.length === 0) return undefined;
	const ports = distinct(taken);
	const verb = plural(names, "uses", "use");
	return {
		reason: "hostPort",
		detail: `${containersNamed(names)} ${verb} ${plural(ports, "hostPort")} ${ports.join(", ")}`,
	};
};

export const hostPorts: Control = { id: "hostPorts", level: "baseline", versions: [{ since: 0, check }] };
