import { type Check, type Control, unlessWindows } from "./control.ts";
import { containersNamed } from "./wording.ts";

const check: Check = ({ containers }) => {
	const bad = containers.filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
	if (bad.length === 0) return undefined;
	const who = containersNamed(bad.map(({ name }) => name));
	return {
		reason: "allowPrivilegeEscalation != false",
		detail: `${who} must set securityContext.allowPrivilegeEscalation=false`,
	};
};

export const allowPrivilegeEscalation: Control = {
	id: "allowPrivilegeEscalation",
	level: "restricted",
	versions: [
		{ since: 8, check },
		{ since: 25, check: unlessWindows(check) },
	],
};
