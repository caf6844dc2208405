import { type Check, type Control, unlessInUserNamespace } from "./control.ts";
import { containersNamed, distinct, quoted } from "./wording.ts";

const check: Check = ({ containers }) => {
	const names: string[] = [];
	const mounts: string[] = [];
	for (const { name, securityContext } of containers) {
		const procMount = securityContext?.procMount;
		if (procMount === undefined || procMount === "Default") continue;
		names.push(name);
		mounts.push(procMount);
	}
	if (names.length === 0) return undefined;
	const list = quoted(distinct(mounts));
	return { reason: "procMount", detail: `${containersNamed(names)} must not set securityContext.procMount to ${list}` };
};

export const procMountBaseline: Control = {
	id: "procMount",
	level: "baseline",
	versions: [
		{ since: 0, check },
		{ since: 35, check: unlessInUserNamespace(check) },
	],
};

/** User namespaces relax `baseline` only. */
export const procMountRestricted: Control = {
	id: "procMount_restricted",
	level: "restricted",
	versions: [{ since: 35, check, replaces: procMountBaseline.id }],
};
