import type { Check, Control } from "./control.ts";
import { containersNamed } from "./wording.ts";

const check: Check = ({ containers }) => {
	const names = containers.filter(({ securityContext }) => securityContext?.privileged === true);
	if (names.length === 0) return undefined;
	const who = containersNamed(names.map(({ name }) => name));
	return { reason: "privileged", detail: `${who} must not set securityContext.privileged=true` };
};

export const privileged: Control = { id: "privileged", level: "baseline", versions: [{ since: 0, check }] };
