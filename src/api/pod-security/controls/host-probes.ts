import type { LifecycleHandler, Probe } from "../../../kinds/generated/types.ts";
import type { Check, Control } from "./control.ts";
import { containersNamed, distinct, plural, quoted } from "./wording.ts";

const check: Check = ({ containers }) => {
	const names: string[] = [];
	const used: string[] = [];
	for (const { name, livenessProbe, readinessProbe, startupProbe, lifecycle } of containers) {
		const actions = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
		const hosts = actions.flatMap(hostsOf);
		if (hosts.length === 0) continue;
		names.push(name);
		used.push(...hosts);
	}
	if (names.length === 0) return undefined;
	const [who, hosts] = [distinct(names), distinct(used)];
	const what = `${plural(hosts, "probe or lifecycle host")} ${quoted(hosts)}`;
	return { reason: "probe or lifecycle host", detail: `${containersNamed(who)} ${plural(who, "uses", "use")} ${what}` };
};

function hostsOf(action: Probe | LifecycleHandler | undefined): string[] {
	return [action?.httpGet?.host ?? "", action?.tcpSocket?.host ?? ""].filter((host) => host !== "");
}

/** Agents call a pod's own address: another would be called from the node's place in the network. */
export const hostProbes: Control = {
	id: "hostProbesAndHostLifecycle",
	level: "baseline",
	versions: [{ since: 34, check }],
};
