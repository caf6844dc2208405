/** Which Ingresses are served. */
import type { Ingress, IngressClass } from "../../kinds/generated/types.ts";

/** `spec.controller` of the IngressClasses that are served. */
export const ingressControllerName = "coxswain.io/ingress-controller";
/** Manifests from before IngressClasses name a class so. */
const classAnnotation = "kubernetes.io/ingress.class";

export function isServed({ metadata, spec }: Ingress, classOf: (name: string) => IngressClass | undefined): boolean {
	const name = spec.ingressClassName ?? metadata.annotations?.[classAnnotation];
	if (name === undefined || metadata.deletionTimestamp !== undefined) return false;
	return classOf(name)?.spec?.controller === ingressControllerName;
}
