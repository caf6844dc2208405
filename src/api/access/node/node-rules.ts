/** What every node may do, whichever node it is: `system:node` of upstream's v1.36, without what depends on the node. */
import type { ResourceRule } from "../authorizer.ts";

export const nodeRules: readonly ResourceRule[] = [
	{ verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"] },
	{
		verbs: ["create"],
		apiGroups: ["authorization.k8s.io"],
		resources: ["subjectaccessreviews", "localsubjectaccessreviews"],
	},
	{ verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["services"] },
	{ verbs: ["get"], apiGroups: [""], resources: ["endpoints"] },
	{ verbs: ["create", "update", "patch"], apiGroups: [""], resources: ["events"] },
	{
		verbs: ["create", "get", "list", "watch"],
		apiGroups: ["certificates.k8s.io"],
		resources: ["certificatesigningrequests"],
	},
	{ verbs: ["get", "list", "watch"], apiGroups: ["storage.k8s.io"], resources: ["csidrivers"] },
	{ verbs: ["get", "list", "watch"], apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"] },
];
