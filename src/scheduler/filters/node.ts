/** Filters that depend only on the node: its name, labels, taints, and whether it is cordoned. */
import { namedNodes } from "../../kinds/pod/node-selector.ts";
import { tolerates, untolerated } from "../../kinds/pod/tolerations.ts";
import { type Filter, refusal } from "./filter.ts";

const unschedulableTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const cordoned = refusal("node(s) were unschedulable", { final: true });

export const nodeUnschedulable: Filter = {
	name: "NodeUnschedulable",
	wakesOn: ["node"],
	prepare(pod) {
		if (pod.tolerations.some((toleration) => tolerates(toleration, unschedulableTaint))) return undefined;
		return { check: ({ node }) => (node?.spec?.unschedulable === true ? cordoned : undefined) };
	},
};

const otherName = refusal("node(s) didn't match the requested node name", { final: true });

export const nodeName: Filter = {
	name: "NodeName",
	wakesOn: ["node"],
	prepare({ pod }) {
		const wanted = pod.spec.nodeName;
		if (wanted === undefined || wanted === "") return undefined;
		return { check: (node) => (node.name === wanted ? undefined : otherName) };
	},
};

const tainted = refusal("node(s) had untolerated taint(s)", { final: true });
const refusingEffects = ["NoSchedule", "NoExecute"];

export const taintToleration: Filter = {
	name: "TaintToleration",
	wakesOn: ["node"],
	prepare({ tolerations }) {
		return {
			check: ({ node }) =>
				untolerated(node?.spec?.taints, tolerations, refusingEffects) === undefined ? undefined : tainted,
		};
	},
};

const unmatched = refusal("node(s) didn't match Pod's node affinity/selector", { final: true });

export const nodeAffinity: Filter = {
	name: "NodeAffinity",
	wakesOn: ["node"],
	prepare({ pod, nodeMatch }) {
		if (nodeMatch === undefined) return undefined;
		const only = namedNodes(pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
		return {
			check: ({ node }) => (node !== undefined && nodeMatch(node) ? undefined : unmatched),
			...(only === undefined ? {} : { only }),
		};
	},
};
