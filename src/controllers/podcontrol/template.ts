import { controllerReference, type Draft, deepCopy, type KubeObject } from "../../core/object.ts";
import type { Pod, PodTemplateSpec } from "../../kinds/generated/types.ts";
import { afterAnnotation } from "../../kinds/self-help/after.ts";

/**
 * A pod from its owner's template: its labels, annotations, finalizers and spec, a generated name, and the owner's
 * controller reference.
 */
export function podFromTemplate(owner: KubeObject, template: PodTemplateSpec): Draft<Pod> {
	const { labels, finalizers } = template.metadata ?? {};
	const annotations = annotationsOf(owner, template);
	return {
		metadata: {
			namespace: owner.metadata.namespace,
			labels: { ...labels },
			...(annotations === undefined ? {} : { annotations: { ...annotations } }),
			...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
			ownerReferences: [controllerReference(owner)],
		},
		// A frozen spec may be shared by all pods: drafts are not modified.
		spec: template.spec ?? { containers: [] },
	};
}

/** The template's annotations. If the owner waits for other workloads, its pods do. */
function annotationsOf(owner: KubeObject, template: PodTemplateSpec): Readonly<Record<string, string>> | undefined {
	const own = template.metadata?.annotations;
	const after = owner.metadata.annotations?.[afterAnnotation];
	if (after === undefined) return own;
	const more = own?.[afterAnnotation];
	return { ...own, [afterAnnotation]: more === undefined ? after : `${after},${more}` };
}

/** Like `podFromTemplate`, with a spec that the caller may change. */
export function editablePod(owner: KubeObject, template: PodTemplateSpec): Draft<Pod> {
	const pod = podFromTemplate(owner, template);
	return { ...pod, spec: deepCopy(pod.spec) };
}
