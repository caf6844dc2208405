import { type Check, type Control, type Subject, unlessWindows, type Violation } from "./control.ts";
import { containersNamed, distinct, plural, podAndContainers, quoted } from "./wording.ts";

const podAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const containerAnnotation = "container.seccomp.security.alpha.kubernetes.io/";
const isAllowedAnnotation = (profile: string) =>
	profile === "runtime/default" || profile === "docker/default" || profile.startsWith("localhost/");

/** How profiles were chosen before there were fields for them. */
const annotated: Check = ({ annotations, containers }) => {
	const names = [podAnnotation, ...containers.map(({ name }) => containerAnnotation + name)];
	const forbidden = names.flatMap((name) => {
		const profile = annotations[name];
		return profile === undefined || isAllowedAnnotation(profile) ? [] : [`${name}=${JSON.stringify(profile)}`];
	});
	if (forbidden.length === 0) return undefined;
	const list = distinct(forbidden);
	return { reason: "seccompProfile", detail: `forbidden ${plural(list, "annotation")} ${list.join(", ")}` };
};

const isAllowed = (type: string | undefined) => type === "RuntimeDefault" || type === "Localhost";

const noneUnconfined: Check = ({ spec, containers }) => {
	const podType = spec.securityContext?.seccompProfile?.type;
	const isPodBad = podType !== undefined && !isAllowed(podType);
	const names: string[] = [];
	const types = isPodBad ? [podType] : [];
	for (const { name, securityContext } of containers) {
		const type = securityContext?.seccompProfile?.type;
		if (type === undefined || isAllowed(type)) continue;
		names.push(name);
		types.push(type);
	}
	if (types.length === 0) return undefined;
	const who = podAndContainers(isPodBad, names);
	const list = quoted(distinct(types));
	return { reason: "seccompProfile", detail: `${who} must not set securityContext.seccompProfile.type to ${list}` };
};

export const seccompProfileBaseline: Control = {
	id: "seccompProfile_baseline",
	level: "baseline",
	versions: [
		{ since: 0, check: annotated },
		{ since: 19, check: noneUnconfined },
	],
};

/** Every container has a profile, its own or the pod's. */
function allConfined(subject: Subject): Violation | undefined {
	const forbidden = noneUnconfined(subject);
	if (forbidden !== undefined) return forbidden;
	if (subject.spec.securityContext?.seccompProfile !== undefined) return undefined;
	const without = subject.containers.filter(({ securityContext }) => securityContext?.seccompProfile === undefined);
	if (without.length === 0) return undefined;
	const who = containersNamed(without.map(({ name }) => name));
	return {
		reason: "seccompProfile",
		detail: `pod or ${who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
	};
}

export const seccompProfileRestricted: Control = {
	id: "seccompProfile_restricted",
	level: "restricted",
	versions: [
		{ since: 19, check: allConfined, replaces: seccompProfileBaseline.id },
		{ since: 25, check: unlessWindows(allConfined), replaces: seccompProfileBaseline.id },
	],
};
