/** Sets the image source of pods from their namespace's annotation, unless they have their own (docs/images.md). */
import { namespaces } from "../../../kinds/core/namespace.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { imageSources, imagesAnnotation } from "../../../kinds/self-help/annotations.ts";
import type { AdmissionStep } from "../../server/admission-step.ts";

export const imageSource: AdmissionStep = {
	name: "ImageSource",
	on: { operations: ["create"], kinds: [pods] },
	admit({ object: { metadata }, namespace: name, server }) {
		const namespace = server.cache.find(namespaces, undefined, name ?? "");
		const source = namespace?.metadata.annotations?.[imagesAnnotation] ?? "";
		if (!imageSources.includes(source) || metadata.annotations?.[imagesAnnotation] !== undefined) return;
		metadata.annotations = { ...metadata.annotations, [imagesAnnotation]: source };
	},
};
