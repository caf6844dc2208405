import type { SELinuxOptions } from "../../../kinds/generated/types.ts";
import type { Check, Control } from "./control.ts";
import { distinct, plural, podAndContainers, quoted } from "./wording.ts";

const types = ["", "container_t", "container_init_t", "container_kvm_t"];

/** No type but these, and neither user nor role. */
function onlyTypes(allowed: ReadonlySet<string>): Check {
	const isAllowed = ({ type = "", user = "", role = "" }: SELinuxOptions = {}) =>
		allowed.has(type) && user === "" && role === "";
	return ({ spec, containers }) => {
		const ofPod = spec.securityContext?.seLinuxOptions;
		const bad = containers.filter(({ securityContext }) => !isAllowed(securityContext?.seLinuxOptions));
		if (isAllowed(ofPod) && bad.length === 0) return undefined;
		const options = [ofPod, ...bad.map(({ securityContext }) => securityContext?.seLinuxOptions)];
		const badTypes = distinct(options.map((option) => option?.type ?? "").filter((type) => !allowed.has(type)));
		const complaints: string[] = [];
		if (badTypes.length > 0) complaints.push(`${plural(badTypes, "type")} ${quoted(badTypes)}`);
		if (options.some((option) => (option?.user ?? "") !== "")) complaints.push("user may not be set");
		if (options.some((option) => (option?.role ?? "") !== "")) complaints.push("role may not be set");
		const names = bad.map(({ name }) => name);
		const who = podAndContainers(!isAllowed(ofPod), names);
		return {
			reason: "seLinuxOptions",
			detail: `${who} set forbidden securityContext.seLinuxOptions: ${complaints.join("; ")}`,
		};
	};
}

export const seLinuxOptions: Control = {
	id: "seLinuxOptions",
	level: "baseline",
	versions: [
		{ since: 0, check: onlyTypes(new Set(types)) },
		{ since: 31, check: onlyTypes(new Set([...types, "container_engine_t"])) },
	],
};
