import type { Check, Control } from "./control.ts";
import { containersNamed, distinct, plural, quoted } from "./wording.ts";

const allowedTypes = new Set(["RuntimeDefault", "Localhost"]);
/** How profiles were chosen before there were fields for them. */
const annotationPrefix = "container.apparmor.security.beta.kubernetes.io/";

const check: Check = ({ spec, containers, annotations }) => {
	const setters: string[] = [];
	const types: string[] = [];
	const podType = spec.securityContext?.appArmorProfile?.type;
	if (podType !== undefined && !allowedTypes.has(podType)) {
		setters.push("pod");
		types.push(podType);
	}
	const names: string[] = [];
	for (const { name, securityContext } of containers) {
		const type = securityContext?.appArmorProfile?.type;
		if (type === undefined || allowedTypes.has(type)) continue;
		names.push(name);
		types.push(type);
	}
	if (names.length > 0) setters.push(containersNamed(names));
	const annotated = Object.entries(annotations)
		.filter(([name, profile]) => name.startsWith(annotationPrefix) && !isAllowed(profile))
		.map(([name, profile]) => `${name}=${JSON.stringify(profile)}`)
		.sort();
	if (annotated.length > 0) setters.push(plural(annotated, "annotation"));
	if (setters.length === 0) return undefined;
	const profiles = [...distinct(types), ...annotated];
	return {
		reason: `forbidden AppArmor ${plural(profiles, "profile")}`,
		detail: `${setters.join(" and ")} must not set AppArmor profile type to ${quoted(profiles)}`,
	};
};

function isAllowed(profile: string): boolean {
	return profile === "" || profile === "runtime/default" || profile.startsWith("localhost/");
}

export const appArmorProfile: Control = { id: "appArmorProfile", level: "baseline", versions: [{ since: 0, check }] };
