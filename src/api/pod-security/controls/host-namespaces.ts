import type { Check, Control } from "./control.ts";

const check: Check = ({ spec }) => {
	const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field] === true);
	if (shared.length === 0) return undefined;
	return { reason: "host namespaces", detail: shared.map((field) => `${field}=true`).join(", ") };
};

/** Pods have their own network, processes and IPC. */
export const hostNamespaces: Control = {
	id: "hostNamespaces",
	level: "baseline",
	versions: [{ since: 0, check }],
};
