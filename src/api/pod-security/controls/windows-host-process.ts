import type { Check, Control } from "./control.ts";
import { podAndContainers } from "./wording.ts";

const check: Check = ({ spec, containers }) => {
	const isPod = spec.securityContext?.windowsOptions?.hostProcess === true;
	const bad = containers.filter(({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
	if (!isPod && bad.length === 0) return undefined;
	const names = bad.map(({ name }) => name);
	const who = podAndContainers(isPod, names);
	return { reason: "hostProcess", detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

export const windowsHostProcess: Control = {
	id: "windowsHostProcess",
	level: "baseline",
	versions: [{ since: 0, check }],
};
