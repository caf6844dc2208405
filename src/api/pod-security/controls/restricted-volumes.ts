import type { Volume } from "../../../kinds/generated/types.ts";
import type { Check, Control } from "./control.ts";
import { hostPathVolumes } from "./host-path-volumes.ts";
import { distinct, plural, quoted } from "./wording.ts";

const allowed: readonly (keyof Volume)[] = [
	"configMap",
	"csi",
	"downwardAPI",
	"emptyDir",
	"ephemeral",
	"image",
	"persistentVolumeClaim",
	"projected",
	"secret",
];

const check: Check = ({ spec }) => {
	const bad = (spec.volumes ?? []).filter((volume) => !allowed.some((type) => volume[type] !== undefined));
	if (bad.length === 0) return undefined;
	const names = bad.map(({ name }) => name);
	const types = distinct(bad.map(typeOf));
	const uses = plural(names, "uses", "use");
	return {
		reason: "restricted volume types",
		detail: `${plural(names, "volume")} ${quoted(names)} ${uses} ${plural(types, "restricted volume type")} ${quoted(types)}`,
	};
};

/** A volume has its name and one field, which is its type. */
function typeOf(volume: Volume): string {
	return Object.keys(volume).find((field) => field !== "name") ?? "unknown";
}

export const restrictedVolumes: Control = {
	id: "restrictedVolumes",
	level: "restricted",
	versions: [{ since: 0, check, replaces: hostPathVolumes.id }],
};
