import type { Check, Control } from "./control.ts";
import { plural, quoted } from "./wording.ts";

const check: Check = ({ spec }) => {
	const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
	if (names.length === 0) return undefined;
	return { reason: "hostPath volumes", detail: `${plural(names, "volume")} ${quoted(names)}` };
};

export const hostPathVolumes: Control = {
	id: "hostPathVolumes",
	level: "baseline",
	versions: [{ since: 0, check }],
};
