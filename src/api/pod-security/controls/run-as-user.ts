import { type Check, type Control, unlessInUserNamespace } from "./control.ts";
import { podAndContainers } from "./wording.ts";

const check: Check = ({ spec, containers }) => {
	const isPod = spec.securityContext?.runAsUser === 0;
	const bad = containers.filter(({ securityContext }) => securityContext?.runAsUser === 0);
	if (!isPod && bad.length === 0) return undefined;
	const names = bad.map(({ name }) => name);
	return { reason: "runAsUser=0", detail: `${podAndContainers(isPod, names)} must not set runAsUser=0` };
};

export const runAsUser: Control = {
	id: "runAsUser",
	level: "restricted",
	versions: [
		{ since: 23, check },
		{ since: 35, check: unlessInUserNamespace(check) },
	],
};
