import { type Check, type Control, unlessInUserNamespace } from "./control.ts";
import { containersNamed, podAndContainers } from "./wording.ts";

const check: Check = ({ spec, containers }) => {
	const reason = "runAsNonRoot != true";
	const ofPod = spec.securityContext?.runAsNonRoot;
	const refusing = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === false);
	if (ofPod === false || refusing.length > 0) {
		const names = refusing.map(({ name }) => name);
		const who = podAndContainers(ofPod === false, names);
		return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
	}
	if (ofPod === true) return undefined;
	const silent = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
	if (silent.length === 0) return undefined;
	const who = containersNamed(silent.map(({ name }) => name));
	return { reason, detail: `pod or ${who} must set securityContext.runAsNonRoot=true` };
};

/** Every container says that it is not root, or the pod does so for it. */
export const runAsNonRoot: Control = {
	id: "runAsNonRoot",
	level: "restricted",
	versions: [
		{ since: 0, check },
		{ since: 35, check: unlessInUserNamespace(check) },
	],
};
